/** What a variant makes of a workload, against what the reference makes of it: looked at before a time is taken. */
import { difference } from '../kernels/check/difference.js';
import { fillOperands, type KernelCase, outputsOf } from '../kernels/check/operands.js';
import type { KernelSpec, OperandSpecs, Operands } from '../kernels/spec.js';

const SEED = 1;
/** A workload sums more terms than the sizes that the tolerance is tested on. */
const SLACK = 10;

/** Operands of the SIMD variants lie in their memory, as they do inside a network. */
export function caseOf({ name }: { readonly name: string }): KernelCase {
  const inKernelMemory = name === 'simd' || name === 'relaxed';
  return { seed: SEED, placement: { offset: 0, gap: 0, inKernelMemory } };
}

/** Outputs by name, row after row. */
export type Expected = ReadonlyMap<string, Float64Array>;

/** What the reference, which every spec begins with, makes of a workload. */
export async function referenceOutputs<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
): Promise<Expected> {
  const reference = spec.variants[0]!;
  const operands = fillOperands(spec, sizes, caseOf(reference));
  await spec.bind(reference.load(), sizes, operands)();
  return new Map(outputsOf(spec, sizes, operands).map(({ name, values }) => [name, values]));
}

/** Throws where the outputs are not what the reference made, within `tolerance` and some slack. */
export function requireAgreement<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  variant: string,
  sizes: S,
  operands: Operands<O>,
  expected: Expected,
  tolerance = spec.tolerance,
): void {
  for (const { name, isInteger, values } of outputsOf(spec, sizes, operands)) {
    const allowed = isInteger ? 0 : SLACK * tolerance;
    const off = difference(values, expected.get(name)!);
    if (off <= allowed) continue;
    const where = `${spec.name}, ${variant}, ${JSON.stringify(sizes)}`;
    throw new Error(`${where}: ${name} is ${off} of its range off the reference, more than ${allowed}`);
  }
}
