/** A variant against float64 on the sizes of its spec, and what came of it. */
import type { Gpu } from '../gpu/gpu.js';
import type { GpuMode } from '../gpu/gpu-js.js';
import type { KernelSpec, KernelVariant, OperandSpecs, VariantName } from '../spec.js';
import { finiteCases, type NamedCase, specialCases } from './cases.js';
import { type CheckOptions, checkKernel } from './harness.js';

export interface Disagreement {
  readonly operation: string;
  readonly variant: VariantName;
  /** Of a GPU variant: what it ran on. */
  readonly mode?: GpuMode;
  readonly sizes: object;
  /** How it was called: offsets, gaps, in place, NaN. */
  readonly call: string;
  /** The operand that is wrong; empty where the kernel failed or wrote where it has nothing. */
  readonly output: string;
  /** max|a - b| / max|b|; absent where no numbers were compared, Infinity where one is NaN that must not be. */
  readonly error?: number;
  readonly tolerance: number;
  readonly message: string;
}

export interface Verdict {
  readonly operation: string;
  readonly variant: VariantName;
  readonly mode?: GpuMode;
  /** Calls that were checked. */
  readonly calls: number;
  /** The largest error of a floating-point output, as a part of its largest value. */
  readonly error: number;
  readonly tolerance: number;
  /** The first one of each output, so that a kernel that is wrong throughout is said once. */
  readonly disagreements: readonly Disagreement[];
}

/** What a GPU variant may be off. */
export const gpuTolerance = <S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
): number => spec.gpuTolerance?.tolerance ?? spec.tolerance;

/** Every size of the spec, every way of calling. */
export const verifyVariant = <S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  variant: KernelVariant<F>,
): Promise<Verdict> => {
  const cases = [...finiteCases(spec), ...specialCases(spec)];
  return verdict(spec, variant, { calls: allCalls(spec.sizes, cases), tolerance: spec.tolerance });
};

export interface GpuSelection {
  /** Sizes at most, evenly chosen from those of the spec; default: all. */
  readonly sizes?: number;
  /** Whether each size is called in one way only, the next one in the next way; default: in all. */
  readonly inTurn?: boolean;
}

/** The GPU variant of a spec in the mode that is open. NaN and infinities are not asked of it. */
export function verifyGpu<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  variant: KernelVariant<F>,
  gpu: Gpu,
  { sizes = spec.sizes.length, inTurn = false }: GpuSelection = {},
): Promise<Verdict> {
  const cases = finiteCases(spec);
  const chosen = evenly(spec.sizes, sizes);
  const calls = inTurn
    ? chosen.map((size, n) => ({ sizes: size, call: cases[n % cases.length] }))
    : allCalls(chosen, cases);
  return verdict(spec, variant, {
    calls,
    mode: gpu.mode,
    tolerance: gpuTolerance(spec),
    run: runOn(gpu),
  });
}

/** Runs a deferred kernel's call once: uploads, launches, reads back. */
export const runOn =
  (gpu: Gpu) =>
  async (call: () => void | Promise<void>): Promise<void> => {
    const program = gpu.record(call);
    try {
      await program.run();
    } finally {
      program.dispose();
    }
  };

interface Call<S> {
  readonly sizes: S;
  readonly call: NamedCase;
}

const allCalls = <S>(sizes: readonly S[], cases: readonly NamedCase[]): Call<S>[] =>
  sizes.flatMap((size) => cases.map((call) => ({ sizes: size, call })));

/** At most `most` of the items: the first, the last, and some between. */
function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from(
    { length: most },
    (_, i) => items[Math.round((i * (items.length - 1)) / Math.max(1, most - 1))],
  );
}

interface Plan<S> extends CheckOptions {
  readonly tolerance: number;
  readonly calls: readonly Call<S>[];
  readonly mode?: GpuMode;
}

async function verdict<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  variant: KernelVariant<F>,
  { calls, mode, ...options }: Plan<S>,
): Promise<Verdict> {
  const { tolerance } = options;
  const what = { operation: spec.name, variant: variant.name, ...(mode ? { mode } : {}) };
  const found = new Map<string, Disagreement>();
  let [worst, done] = [0, 0];
  try {
    const kernel = variant.load();
    for (const { sizes, call } of calls) {
      const { error, complaints } = await checkKernel(spec, kernel, sizes, call.test, options);
      done++;
      worst = Math.max(worst, error);
      for (const { operand: output, ...rest } of complaints) {
        const known = found.get(output);
        // Of several, the one that is furthest off.
        if (known && (known.error ?? Infinity) >= (rest.error ?? 0)) continue;
        found.set(output, { ...what, sizes, call: call.name, output, tolerance, ...rest });
      }
    }
  } catch (error) {
    const { sizes, call } = calls[done];
    const message = `failed: ${error instanceof Error ? error.message : String(error)}`;
    found.set('', { ...what, sizes, call: call.name, output: '', tolerance, message });
  }
  return { ...what, calls: done, error: worst, tolerance, disagreements: [...found.values()] };
}

/** A disagreement in one line. */
export function describe(wrong: Disagreement): string {
  const { operation, variant, mode, sizes, call, output, error, tolerance, message } = wrong;
  const name = mode ? `${variant} (${mode})` : variant;
  const off =
    error === undefined ? '' : `; largest error of ${output}: ${digits(error)}, tolerance ${tolerance}`;
  return `${operation}, ${name}, ${JSON.stringify(sizes)}, ${call}: ${message}${off}`;
}

/** An error in two digits, with the power of ten. */
export const digits = (error: number): string =>
  error === 0 ? '0' : Number.isFinite(error) ? error.toExponential(1) : 'no number';
