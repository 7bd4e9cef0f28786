/** Memory for the operands of a kernel: guard words around them and between their rows, inputs filled. */

import { createRandom } from '../random.js';
import type { KernelArray, KernelSpec, Operand, OperandSpec, OperandSpecs, Operands } from '../spec.js';
import { kernelMemory } from '../wasm/runtime.js';

export interface Placement {
  /** Elements between the start of the memory and the operand. */
  readonly offset: number;
  /** Elements between the end of a row and the start of the next. */
  readonly gap: number;
  /** Whether operands lie in the memory of the SIMD kernels rather than in arrays of their own. */
  readonly inKernelMemory?: boolean;
}

export interface KernelCase {
  readonly seed: number;
  readonly placement: Placement;
  /** A value put into the first input at a random place. */
  readonly special?: number;
  /** [output, input] that share their memory. */
  readonly inPlace?: readonly [string, string];
}

/** What memory outside of operands holds, and outputs before a call. */
export const GUARD = 113;
const GUARD_WORDS = 7;

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
} as const;

function place(spec: OperandSpec, { offset, gap, inKernelMemory }: Placement): Operand {
  const rowStride = spec.strided === false ? spec.columns : spec.columns + gap;
  const length = offset + spec.rows * rowStride + GUARD_WORDS;
  const memory = inKernelMemory ? kernelMemory() : null;
  const data: KernelArray = memory
    ? new constructors[spec.type](memory.buffer as ArrayBuffer, memory.push(8 * length), length)
    : new constructors[spec.type](length);
  return { data: data.fill(GUARD), offset, rowStride };
}

/** Indices into an operand's memory of its elements, row after row. */
export function* elements(spec: OperandSpec, operand: Operand): Generator<number> {
  for (let r = 0; r < spec.rows; r++) {
    for (let c = 0; c < spec.columns; c++) yield operand.offset + r * operand.rowStride + c;
  }
}

/** Operands of a spec, placed and with their inputs filled. */
export function fillOperands<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
  test: KernelCase,
): Operands<O> {
  const random = createRandom(test.seed);
  const specs = spec.operands(sizes);
  const names = Object.keys(specs);
  const operands: Record<string, Operand> = {};
  for (const name of names) {
    const alias = test.inPlace?.[0] === name ? operands[test.inPlace[1]] : undefined;
    operands[name] = alias ?? place(specs[name], test.placement);
  }
  const inputs = names.filter((name) => specs[name].role === 'input');
  for (const name of inputs) {
    const fill = specs[name].fill ?? ((uniform: () => number) => 2 * uniform() - 1);
    let index = 0;
    for (const at of elements(specs[name], operands[name])) operands[name].data[at] = fill(random, index++);
  }
  const [first] = inputs;
  if (test.special !== undefined) {
    const at = [...elements(specs[first], operands[first])];
    operands[first].data[at[Math.floor(random() * at.length)]] = test.special;
  }
  return operands as unknown as Operands<O>;
}

export interface OutputValues {
  readonly name: string;
  /** Whether the values must be equal to what is right. */
  readonly isInteger: boolean;
  /** Row after row, without gaps. */
  readonly values: Float64Array;
}

/** What the outputs hold. */
export function outputsOf<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
  operands: Operands<O>,
): OutputValues[] {
  return Object.entries(spec.operands(sizes)).flatMap(([name, of]) => {
    if (of.role !== 'output') return [];
    const operand = operands[name as keyof O] as Operand;
    const values = Float64Array.from(elements(of, operand), (at) => operand.data[at]);
    return [{ name, isInteger: of.type === 'int32', values }];
  });
}
