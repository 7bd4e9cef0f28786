/**
 * Which input elements are read for an output element, found out rather than declared: an input element is made NaN, very
 * large, very small and 0, and where the output changes, it was read. NaN alone is not enough: comparisons ignore it, so a
 * codeword that is NaN is never chosen. What changes nothing by itself stays unseen, as a codeword that is far from
 * being the nearest does.
 */
import { elements, fillOperands } from '../../kernels/check/operands.js';
import type { KernelSpec, Operand, OperandSpecs, Operands } from '../../kernels/spec.js';

/** Operands without gaps. */
export const PLAIN = { offset: 0, gap: 0 } as const;

/** Most elements of all inputs together that an example has. */
const MOST_INPUTS = 90;

const countOf = (specs: OperandSpecs, role: 'input' | 'output'): number =>
  Object.values(specs)
    .filter((each) => each.role === role)
    .reduce((sum, { rows, columns }) => sum + rows * columns, 0);

/** The spec's example; where it names none, of its sizes that with the most numbers that still fit the screen. */
export function exampleSizes<S extends object, O extends OperandSpecs, F>(spec: KernelSpec<S, O, F>): S {
  if (spec.example) return spec.example;
  const [first] = spec.sizes;
  if (first === undefined) throw new Error(`internal: ${spec.name} has no sizes`);
  const fits = spec.sizes.filter((sizes) => {
    const operands = spec.operands(sizes);
    const widest = Math.max(...Object.values(operands).map(({ columns }) => columns));
    return countOf(operands, 'input') <= MOST_INPUTS && widest <= 20 && countOf(operands, 'output') >= 4;
  });
  const numbers = (sizes: S): number => countOf(spec.operands(sizes), 'input');
  return fits.reduce((best, sizes) => (numbers(sizes) > numbers(best) ? sizes : best), fits[0] ?? first);
}

/** Seeded operands of the example, in tenths that people can follow. */
export function exampleOperands<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
): Operands<O> {
  const operands = fillOperands(spec, sizes, { seed: 3, placement: PLAIN });
  for (const [name, of] of Object.entries(spec.operands(sizes))) {
    if (of.role !== 'input') continue;
    const operand: Operand = operands[name as keyof O];
    for (const at of elements(of, operand)) {
      const value = operand.data[at] ?? 0;
      operand.data[at] = Number.isFinite(value) ? Math.round(10 * value) / 10 : value;
    }
  }
  return operands;
}

/** An element of an input: the operand, and its index row after row. */
export interface InputElement {
  readonly operand: string;
  readonly index: number;
}

const dense = (of: OperandSpecs[string], operand: Operand): number[] =>
  Array.from(elements(of, operand), (at) => operand.data[at] ?? 0);

/** The input elements that element `index` of output `output` reads. `kernel` is the reference. */
export async function readsOf<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  kernel: F,
  sizes: S,
  operands: Operands<O>,
  output: string,
  index: number,
): Promise<InputElement[]> {
  const specs: OperandSpecs = spec.operands(sizes);
  const copy = (): Record<string, Operand> =>
    Object.fromEntries(
      Object.entries(operands).map(([name, { data, ...rest }]) => [name, { ...rest, data: data.slice() }]),
    );
  const valueWith = async (change: (copies: Record<string, Operand>) => void): Promise<number> => {
    const copies = copy();
    change(copies);
    await spec.bind(kernel, sizes, copies as unknown as Operands<O>)();
    const [of, operand] = [specs[output], copies[output]];
    return of && operand ? (dense(of, operand)[index] ?? 0) : 0;
  };
  const before = await valueWith(() => undefined);
  const found: InputElement[] = [];
  for (const [name, of] of Object.entries(specs)) {
    if (of.role !== 'input') continue;
    for (let i = 0; i < of.rows * of.columns; i++) {
      const set = (value: number) => (copies: Record<string, Operand>) => {
        const operand = copies[name];
        if (operand) operand.data[[...elements(of, operand)][i] ?? 0] = value;
      };
      let reads = false;
      for (const value of probes(of.type)) reads ||= !Object.is(await valueWith(set(value)), before);
      if (reads) found.push({ operand: name, index: i });
    }
  }
  return found;
}

/** Values that an element is changed to; NaN first, which shows most. */
const probes = (type: OperandSpecs[string]['type']): readonly number[] =>
  type === 'uint8' ? [0, 1] : type === 'int32' ? [0, 1, 2, 3] : [Number.NaN, -100, 0, 100];
