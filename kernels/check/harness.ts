/**
 * Runs one variant of a kernel on one set of sizes and says what is wrong with it, if anything: results against
 * float64, and writes where none belong.
 */
import { KernelError } from '../errors.js';
import type { KernelArray, KernelSpec, Operand, OperandSpecs, Operands } from '../spec.js';
import { kernelMemory } from '../wasm/runtime.js';
import { largestDifference } from './difference.js';
import { fillOperands, GUARD, type KernelCase, outputsOf } from './operands.js';

/** Makes a call that `bind` gave; for GPU variants, records and runs it. */
export type RunCall = (call: () => void | Promise<void>) => Promise<void>;

const runDirectly: RunCall = async (call) => {
  await call();
};

export interface Complaint {
  /** The operand that is wrong; empty where it is memory that has nothing to do with the call. */
  readonly operand: string;
  /** Of an output: its largest error, as a part of its largest value. */
  readonly error?: number;
  /** One sentence, with the operand's name. */
  readonly message: string;
}

export interface Outcome {
  /** The largest error of a floating-point output, as a part of its largest value. */
  readonly error: number;
  /** Empty where all is well. */
  readonly complaints: readonly Complaint[];
}

export interface CheckOptions {
  /** How the call is made; default: just made. */
  readonly run?: RunCall;
  /** In place of the spec's tolerance. */
  readonly tolerance?: number;
}

/** Runs `kernel` once on operands of `test` and compares with the formula of `spec` in float64. */
export async function checkKernel<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  kernel: F,
  sizes: S,
  test: KernelCase,
  options: CheckOptions = {},
): Promise<Outcome> {
  const memory = kernelMemory();
  const mark = memory?.mark() ?? 0;
  try {
    return await outcomeOf(spec, kernel, sizes, test, options);
  } finally {
    memory?.pop(mark);
  }
}

async function outcomeOf<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  kernel: F,
  sizes: S,
  test: KernelCase,
  { run = runDirectly, tolerance = spec.tolerance }: CheckOptions,
): Promise<Outcome> {
  const specs = spec.operands(sizes);
  const names = Object.keys(specs);
  const typed = fillOperands(spec, sizes, test);
  const operands = typed as unknown as Record<string, Operand>;
  const before = new Map<string, KernelArray>(names.map((name) => [name, operands[name].data.slice()]));
  const exact = exactOutputs(spec, sizes, test, operands, before);
  const kept = guardedBlock();
  await run(spec.bind(kernel, sizes, typed));

  const complaints: Complaint[] = [];
  if (!isWhole(kept)) {
    complaints.push({ operand: '', message: 'memory that others keep was changed' });
    kept?.fill(GUARD);
  }
  for (const name of names) {
    const stray = strayWrite(name, specs, operands[name], before.get(name) as KernelArray, test);
    if (stray) complaints.push(stray);
  }
  let worst = 0;
  for (const { name, isInteger, values } of outputsOf(spec, sizes, typed)) {
    const right = exact[name];
    if (!right) throw new KernelError(`${spec.name}: its formula gives no ${name}`);
    const { error, at } = largestDifference(values, right);
    const allowed = isInteger ? 0 : tolerance;
    if (!isInteger) worst = Math.max(worst, error);
    if (error <= allowed) continue;
    const message =
      values.length === right.length
        ? `${name}[${at}] is ${values[at]} rather than ${right[at]}`
        : `${name} has ${values.length} elements rather than ${right.length}`;
    complaints.push({ operand: name, error, message });
  }
  return { error: worst, complaints };
}

type Exact = Readonly<Record<string, ArrayLike<number>>>;
const exactOutcomes = new WeakMap<object, WeakMap<object, Map<string, Exact>>>();

/** The outputs by the formula; of each test once, because all variants are compared with the same. */
function exactOutputs<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
  test: KernelCase,
  operands: Readonly<Record<string, Operand>>,
  data: ReadonlyMap<string, KernelArray>,
): Exact {
  const bySizes = exactOutcomes.get(spec) ?? new WeakMap<object, Map<string, Exact>>();
  exactOutcomes.set(spec, bySizes);
  const byTest = bySizes.get(sizes) ?? new Map<string, Exact>();
  bySizes.set(sizes, byTest);
  // In JSON, NaN and infinities would all be null.
  const key = `${JSON.stringify(test)} ${test.special}`;
  let exact = byTest.get(key);
  if (exact === undefined) {
    // Of copies in memory of their own: code that reads shared memory too is several times as slow.
    const copies = [...data].map(([name, copy]) => [name, { ...operands[name], data: copy }]);
    exact = spec.exact(sizes, Object.fromEntries(copies) as Operands<O>);
    byTest.set(key, exact);
  }
  return exact;
}

/** A complaint where memory around an operand was written to, or an operand that must not change. */
function strayWrite(
  name: string,
  specs: OperandSpecs,
  operand: Operand,
  before: KernelArray,
  test: KernelCase,
): Complaint | null {
  const { offset, rowStride } = operand;
  const { role, rows, columns } = specs[name];
  const isInside = (i: number) =>
    i >= offset && (i - offset) % rowStride < columns && i < offset + rows * rowStride;
  const mayChange = role !== 'input' || (test.inPlace?.includes(name) ?? false);
  for (let i = 0; i < before.length; i++) {
    if (Object.is(operand.data[i], before[i]) || (mayChange && isInside(i))) continue;
    const what = isInside(i) ? 'input' : 'memory outside';
    return { operand: name, message: `${what} ${name} was changed at element ${i}` };
  }
  return null;
}

let block: Float32Array | null | undefined;

/** Zeros and kept blocks lie at the low end of the kernels' memory, where a pointer of 0 leads. */
function guardedBlock(): Float32Array | null {
  block ??= kernelMemory()
    ?.keepFloats(1 << 15)
    .fill(GUARD);
  return block ?? null;
}

function isWhole(kept: Float32Array | null): boolean {
  const memory = kernelMemory();
  if (!memory || !kept) return true;
  for (let i = 0; i < kept.length; i++) if (kept[i] !== GUARD) return false;
  return new Float32Array(memory.buffer, 0, 256).every((x) => x === 0);
}
