/** The ways in which a kernel is called when it is checked. */
import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { KernelCase } from './operands.js';

export interface NamedCase {
  /** For messages. */
  readonly name: string;
  readonly test: KernelCase;
}

const dense: KernelCase = { seed: 1, placement: { offset: 0, gap: 0 } };
const spread: KernelCase = { seed: 2, placement: { offset: 5, gap: 3 } };
const resident: KernelCase = { seed: 3, placement: { offset: 3, gap: 2, inKernelMemory: true } };

/** Without gaps; at odd offsets with gaps between rows, apart and in the memory of the SIMD kernels; in place. */
export function finiteCases<S extends object, O extends OperandSpecs, F>({
  inPlace = [],
}: KernelSpec<S, O, F>): NamedCase[] {
  return [
    { name: 'dense', test: dense },
    { name: 'offsets and gaps', test: spread },
    { name: 'in kernel memory', test: resident },
    ...inPlace.flatMap((pair): NamedCase[] => [
      { name: `${pair[0]} in place of ${pair[1]}`, test: { ...spread, inPlace: pair } },
      {
        name: `${pair[0]} in place of ${pair[1]}, in kernel memory`,
        test: { ...resident, inPlace: pair },
      },
    ]),
  ];
}

/** NaN and infinities, where a spec says that they come out as the formula has them. */
export const specialCases = <S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
): NamedCase[] =>
  [Number.NaN, Infinity, -Infinity].flatMap((special) =>
    spec.nonFinite ? [{ name: `${special} in the first input`, test: { ...dense, special } }] : [],
  );
