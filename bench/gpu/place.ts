/** All times of one mode, beside the variants without a GPU in the same process or page. */

import { checkKernel } from '../../kernels/check/harness.js';
import { fillOperands, outputsOf } from '../../kernels/check/operands.js';
import { gpuTolerance, runOn } from '../../kernels/check/verify.js';
import { type Gpu, type GpuMode, gpuSupport, openGpu } from '../../kernels/gpu/index.js';
import { kernelSpecs } from '../../kernels/index.js';
import { matmulSpec } from '../../kernels/matmul/spec.js';
import type { KernelSpec, KernelVariant, OperandSpecs } from '../../kernels/spec.js';
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import { useThreads } from '../../src/ops/dispatch.js';
import { deviceOf } from '../../test/support/gpu-verdicts.js';
import { caseOf, type Expected, referenceOutputs, requireAgreement } from '../checked.js';
import { sample } from '../sample.js';
import { observe } from '../sink.js';
import type { Summary } from '../statistics.js';
import { LADDER, SELECTION } from './selection.js';
import { type Transfer, timeTransfers } from './transfers.js';

/** The times of one workload. */
export interface GpuTiming {
  readonly operation: string;
  readonly workload: string;
  readonly operations: number;
  readonly launches: number;
  readonly reference: Summary;
  /** Null where the operation has no such variant here. */
  readonly simd: Summary | null;
  /** Uploads, launches, readback. */
  readonly whole: Summary;
  /** Launches alone, on what lies on the device. */
  readonly device: Summary;
}

export interface Rung extends GpuTiming {
  /** Side of a square product. */
  readonly side: number;
}

export interface PlaceTimings {
  readonly mode: GpuMode;
  /** What the mode ran on. */
  readonly device: string;
  readonly timings: readonly GpuTiming[];
  readonly ladder: readonly Rung[];
  readonly transfers: readonly Transfer[];
}

/** Products take this long at most; larger ones of the ladder are left out. */
const LONGEST_SECONDS = 2;
/** Launches of one timing of the device alone. */
const MOST_LAUNCHES = 64;

/** All times of a mode, or why it does not run here. Each variant is checked before it is timed. */
export async function timePlace(mode: GpuMode, budget: number): Promise<PlaceTimings | string> {
  const support = await gpuSupport(mode);
  if (support !== true) return support;
  useThreads(1);
  const gpu = await openGpu(mode);
  try {
    const timings: GpuTiming[] = [];
    for (const any of kernelSpecs) {
      const names = SELECTION[any.name] ?? [];
      timings.push(...(await any.visit((spec) => timeSpec(spec, names, gpu, budget))));
    }
    const ladder = await timeLadder(gpu, budget);
    const transfers = await timeTransfers(gpu, budget);
    return { mode, device: await deviceOf(mode), timings, ladder, transfers };
  } finally {
    await gpu.dispose();
  }
}

async function timeSpec<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  names: readonly string[],
  gpu: Gpu,
  budget: number,
): Promise<GpuTiming[]> {
  if (names.length === 0 || !spec.gpu) return [];
  await requireRight(spec, gpu);
  const timings: GpuTiming[] = [];
  for (const { name, sizes } of spec.workloads) {
    if (names.includes(name)) timings.push(await timeWorkload(spec, name, sizes, gpu, budget));
  }
  return timings;
}

/** Square products, as long as they don't take too long. */
async function timeLadder(gpu: Gpu, budget: number): Promise<Rung[]> {
  const ladder: Rung[] = [];
  let last = 0;
  for (const side of LADDER) {
    // Twice the side, eight times the work.
    if (8 * last > LONGEST_SECONDS) break;
    const sizes = { m: side, n: side, k: side };
    const timing = await timeWorkload(matmulSpec, `${side} x ${side} x ${side}`, sizes, gpu, budget);
    ladder.push({ side, ...timing });
    last = Math.max(timing.whole.best, timing.reference.best);
  }
  return ladder;
}

/** Throws where the GPU variant or one of those it is compared with is wrong on the first sizes of its spec. */
async function requireRight<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  gpu: Gpu,
): Promise<void> {
  const run = runOn(gpu);
  for (const variant of [...plainVariants(spec), gpuVariantOf(spec)]) {
    const options = variant.name === 'gpu' ? { run, tolerance: gpuTolerance(spec) } : {};
    const { complaints } = await checkKernel(spec, variant.load(), spec.sizes[0]!, caseOf(variant), options);
    if (complaints.length === 0) continue;
    const wrong = complaints.map(({ message }) => message).join('; ');
    throw new Error(`${spec.name}, ${variant.name} is wrong: ${wrong}`);
  }
}

/** Reference, and SIMD where it runs. */
const plainVariants = <S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
): readonly KernelVariant<F>[] =>
  spec.variants.filter((each) => each.name !== 'relaxed' && each.available() === true);

function gpuVariantOf<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
): KernelVariant<F> {
  if (spec.gpu) return spec.gpu;
  throw new Error(`${spec.name} has no GPU variant: take it out of the selection`);
}

async function timeWorkload<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  workload: string,
  sizes: S,
  gpu: Gpu,
  budget: number,
): Promise<GpuTiming> {
  const expected = await referenceOutputs(spec, sizes);
  const plain = new Map<string, Summary>();
  for (const variant of plainVariants(spec)) {
    plain.set(variant.name, await timePlain(spec, variant, sizes, expected, budget));
  }
  const { launches, whole, device } = await timeGpu(spec, sizes, gpu, expected, budget);
  const { operations } = spec.cost(sizes);
  const { reference, simd = null } = Object.fromEntries(plain);
  if (!reference) throw new Error(`${spec.name} has no reference`);
  return { operation: spec.name, workload, operations, launches, reference, simd, whole, device };
}

async function timePlain<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  variant: KernelVariant<F>,
  sizes: S,
  expected: Expected,
  budget: number,
): Promise<Summary> {
  const memory = kernelMemory();
  const mark = memory?.mark() ?? 0;
  try {
    const operands = fillOperands(spec, sizes, caseOf(variant));
    const work = spec.bind(variant.load(), sizes, operands);
    await work();
    requireAgreement(spec, variant.name, sizes, operands, expected);
    const took = await sample(work, budget);
    for (const { values } of outputsOf(spec, sizes, operands)) observe(values);
    return took;
  } finally {
    memory?.pop(mark);
  }
}

async function timeGpu<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
  gpu: Gpu,
  expected: Expected,
  budget: number,
): Promise<Pick<GpuTiming, 'launches' | 'whole' | 'device'>> {
  const variant = gpuVariantOf(spec);
  const operands = fillOperands(spec, sizes, caseOf(variant));
  const program = gpu.record(spec.bind(variant.load(), sizes, operands));
  try {
    await program.run();
    requireAgreement(spec, `gpu (${gpu.mode})`, sizes, operands, expected, gpuTolerance(spec));
    const whole = await sample(() => program.run(), budget);
    const { launches } = program;
    const times = Math.max(1, Math.min(MOST_LAUNCHES, Math.floor(budget / 5 / whole.median)));
    const device = divided(await sample(() => program.compute(times), budget), times);
    return { launches, whole, device };
  } finally {
    program.dispose();
  }
}

const divided = ({ best, median, ...rest }: Summary, times: number): Summary => ({
  best: best / times,
  median: median / times,
  ...rest,
});
