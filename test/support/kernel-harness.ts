/**
 * Runs one variant of a kernel on one set of sizes and says what is wrong with it, if anything. Operands are
 * placed in memory with guard words around them and between their rows, so stray writes are seen.
 */
import type {
  KernelArray,
  KernelSpec,
  Operand,
  OperandSpec,
  OperandSpecs,
  Operands,
} from '../../kernels/spec.js';
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import { createRandom } from '../../src/tensor/index.js';

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

const GUARD = 113;
/** Zeros and kept blocks lie at the low end of the kernels' memory, where a pointer of 0 leads. */
const kept = kernelMemory()
  ?.keepFloats(1 << 15)
  .fill(GUARD);
const keptIsWhole = (): boolean => {
  const memory = kernelMemory();
  if (!memory || !kept) return true;
  return kept.every((x) => x === GUARD) && new Float32Array(memory.buffer, 0, 256).every((x) => x === 0);
};
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
  const data = memory
    ? new constructors[spec.type](memory.buffer as ArrayBuffer, memory.push(8 * length), length)
    : new constructors[spec.type](length);
  return { data: data.fill(GUARD), offset, rowStride };
}

function* elements(spec: OperandSpec, operand: Operand): Generator<number> {
  for (let r = 0; r < spec.rows; r++) {
    for (let c = 0; c < spec.columns; c++) yield operand.offset + r * operand.rowStride + c;
  }
}

/** Null, or a line that says how `got` differs from `exact`. */
function compare(exact: ArrayLike<number>, got: readonly number[], tolerance: number): string | null {
  if (exact.length !== got.length) return `has ${got.length} elements rather than ${exact.length}`;
  let largest = 0;
  for (let i = 0; i < exact.length; i++) {
    const e = Math.abs(exact[i] as number);
    if (Number.isFinite(e)) largest = Math.max(largest, e);
  }
  for (let i = 0; i < exact.length; i++) {
    const [e, g] = [exact[i] as number, got[i] as number];
    const close = Number.isFinite(e) ? Math.abs(e - g) <= tolerance * largest : Object.is(e, g);
    if (!close) return `[${i}] is ${g} rather than ${e} (tolerance ${tolerance} of ${largest})`;
  }
  return null;
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
    operands[name] = alias ?? place(specs[name]!, test.placement);
  }
  const inputs = names.filter((name) => specs[name]!.role === 'input');
  for (const name of inputs) {
    const fill = specs[name]!.fill ?? ((uniform: () => number) => 2 * uniform() - 1);
    let index = 0;
    for (const at of elements(specs[name]!, operands[name]!))
      operands[name]!.data[at] = fill(random, index++);
  }
  const first = inputs[0]!;
  if (test.special !== undefined) {
    const at = [...elements(specs[first]!, operands[first]!)];
    operands[first]!.data[at[Math.floor(random() * at.length)]!] = test.special;
  }
  return operands as unknown as Operands<O>;
}

/** Every complaint about `kernel`; an empty list is a pass. */
export async function complaints<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  kernel: F,
  sizes: S,
  test: KernelCase,
): Promise<string[]> {
  const memory = kernelMemory();
  const mark = memory?.mark() ?? 0;
  try {
    return await complaintsOf(spec, kernel, sizes, test);
  } finally {
    memory?.pop(mark);
  }
}

async function complaintsOf<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  kernel: F,
  sizes: S,
  test: KernelCase,
): Promise<string[]> {
  const specs = spec.operands(sizes);
  const names = Object.keys(specs);
  const typed = fillOperands(spec, sizes, test);
  const operands = typed as unknown as Record<string, Operand>;
  const before = new Map<string, KernelArray>(names.map((name) => [name, operands[name]!.data.slice()]));
  const exact = spec.exact(sizes, typed);
  await spec.bind(kernel, sizes, typed)();

  const found: string[] = [];
  if (!keptIsWhole()) {
    found.push('memory that others keep was changed');
    kept?.fill(GUARD);
  }
  for (const name of names) {
    const { role, type } = specs[name]!;
    const { data } = operands[name]!;
    const inside = new Set(elements(specs[name]!, operands[name]!));
    const shared = test.inPlace?.includes(name) ?? false;
    const mayChange = role !== 'input' || shared;
    const old = before.get(name)!;
    for (let i = 0; i < data.length; i++) {
      if (mayChange && inside.has(i)) continue;
      if (Object.is(data[i], old[i])) continue;
      found.push(`${inside.has(i) ? 'input' : 'memory outside'} ${name} was changed at element ${i}`);
      break;
    }
    if (role !== 'output') continue;
    const got = Array.from(inside, (at) => data[at] as number);
    const problem = compare(exact[name] ?? [], got, type === 'int32' ? 0 : spec.tolerance);
    if (problem !== null) found.push(`${name}${problem}`);
  }
  return found;
}
