/** Times every variant of an operation in this browser. */
import { largestDifference } from '../../kernels/check/difference.js';
import { fillOperands, outputsOf } from '../../kernels/check/operands.js';
import { gpuTolerance } from '../../kernels/check/verify.js';
import type { GpuMode } from '../../kernels/gpu/gpu-js.js';
import type { KernelSpec, OperandSpecs, Operands } from '../../kernels/spec.js';
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import { PLAIN } from './reads.js';

export interface Timing {
  readonly name: string;
  /** Seconds of a call; of a GPU mode with upload and readback. */
  readonly seconds: number;
  /** Of a GPU mode: without upload and readback. */
  readonly onDevice?: number;
}

export interface Absent {
  readonly name: string;
  readonly reason: string;
}

/** GPU modes that a page may have. */
const MODES = ['webgl2', 'webgpu', 'webasm', 'cpu'] as const satisfies readonly GpuMode[];

/** Seconds that one variant is timed for. */
const SECONDS = 0.3;
/** Seconds between moments at which the page can act on what its user does; a call takes longer only by itself. */
const DEAF_SECONDS = 0.05;
/** A workload sums more terms than the sizes that the tolerance is tested on. */
const SLACK = 10;

const frame = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** The median of as many calls as fit into the time, three at least. */
async function median(call: () => unknown, signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  const start = performance.now();
  let heard = start;
  while (times.length < 3 || performance.now() - start < 1000 * SECONDS) {
    signal.throwIfAborted();
    // Clocks of browsers are coarse: short calls are timed in groups.
    const before = performance.now();
    let calls = 0;
    do {
      await call();
      calls++;
    } while (performance.now() - before < 2);
    times.push((performance.now() - before) / 1000 / calls);
    // The page has to hear of a click on Stop: calls that are done at once never let it.
    if (performance.now() - heard > 1000 * DEAF_SECONDS) {
      await frame();
      heard = performance.now();
    }
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1] ?? Number.NaN;
}

/** Throws where the outputs are not those of the reference. */
function requireAgreement<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
  operands: Operands<O>,
  expected: ReturnType<typeof outputsOf>,
  tolerance = spec.tolerance,
): void {
  outputsOf(spec, sizes, operands).forEach(({ name, isInteger, values }, i) => {
    const wanted = expected[i]?.values ?? [];
    const { error } = largestDifference(wanted, values);
    if (error <= (isInteger ? 0 : SLACK * tolerance)) return;
    if (!isInteger) throw new Error(`not timed: ${name} differs from the reference by ${error} of its range`);
    const other = Array.from(values).filter((value, at) => value !== wanted[at]).length;
    throw new Error(`not timed: ${other} of ${values.length} ${name} differ from the reference`);
  });
}

/** Times of one workload, as they come; variants that can't run say why. Throws the signal's reason where it is aborted. */
export async function* timings<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
  signal: AbortSignal,
): AsyncGenerator<Timing | Absent> {
  const inMemory = (inKernelMemory: boolean) =>
    fillOperands(spec, sizes, { seed: 1, placement: { ...PLAIN, inKernelMemory } });
  let expected: ReturnType<typeof outputsOf> = [];
  // The reference first: the others are compared with it.
  const order = ['reference', 'simd', 'relaxed', 'gpu'];
  const variants = [...spec.variants].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  for (const variant of variants) {
    await frame();
    const reason = variant.available();
    if (reason !== true) {
      yield { name: variant.name, reason };
      continue;
    }
    const memory = kernelMemory();
    const mark = memory?.mark() ?? 0;
    try {
      const operands = inMemory(variant.name !== 'reference');
      const call = spec.bind(variant.load(), sizes, operands);
      await call();
      await frame();
      signal.throwIfAborted();
      if (variant.name === 'reference') expected = outputsOf(spec, sizes, operands);
      else requireAgreement(spec, sizes, operands, expected);
      yield { name: variant.name, seconds: await median(call, signal) };
    } catch (error) {
      signal.throwIfAborted();
      yield { name: variant.name, reason: messageOf(error) };
    } finally {
      memory?.pop(mark);
    }
  }
  for (const name of ['simd', 'relaxed', 'gpu']) {
    const found = name === 'gpu' ? spec.gpu : variants.find((variant) => variant.name === name);
    if (!found) yield { name, reason: 'this operation has no such variant' };
  }
  if (!spec.gpu) return;
  signal.throwIfAborted();
  const { openGpu } = await import('../../kernels/gpu/index.js');
  for (const mode of MODES) {
    signal.throwIfAborted();
    await frame();
    const name = `gpu: ${mode}`;
    try {
      const gpu = await openGpu(mode);
      try {
        const operands = inMemory(false);
        const program = gpu.record(spec.bind(spec.gpu.load(), sizes, operands));
        await program.run();
        requireAgreement(spec, sizes, operands, expected, gpuTolerance(spec));
        const seconds = await median(() => program.run(), signal);
        const onDevice = await median(() => program.compute(), signal);
        program.dispose();
        yield { name, seconds, onDevice };
      } finally {
        await gpu.dispose();
      }
    } catch (error) {
      signal.throwIfAborted();
      yield { name, reason: messageOf(error) };
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
