/** Choice of the kernel variant that an operation runs on. */
import { defaultThreads, startWorker } from '#start-worker';
import type { KernelVariant, VariantName } from '../../kernels/spec.js';
import { configureThreads } from '../../kernels/wasm/runtime.js';
import { KernelError, withoutScopes } from '../tensor/index.js';
import { crossChecked } from './cross-check.js';

/**
 * `auto`: the fastest that runs here. `check`: that one and the reference side by side, and KernelError at the
 * first number in which they differ; slow, for finding faults.
 */
export type KernelChoice = 'auto' | 'check' | 'reference' | 'simd' | 'relaxed';

const CHOICES: readonly KernelChoice[] = ['auto', 'check', 'reference', 'simd', 'relaxed'];
/** Variants that an operation chooses from. */
type PlainVariant = Exclude<VariantName, 'gpu'>;
/** Fastest first. */
const FASTEST: readonly PlainVariant[] = ['relaxed', 'simd', 'reference'];

/** An environment variable, where there is an environment. */
function environment(name: string): string {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] ?? '';
}

/** As many threads as ACOM_THREADS says, where no call said it. */
function threadsOfEnvironment(): void {
  const threads = environment('ACOM_THREADS');
  useThreads(threads === '' ? defaultThreads() : Number(threads));
}

/** What ACOM_KERNELS says. */
function choiceOfEnvironment(): KernelChoice {
  const named = environment('ACOM_KERNELS');
  if (named === '') return 'auto';
  if ((CHOICES as readonly string[]).includes(named)) return named as KernelChoice;
  throw new KernelError(`ACOM_KERNELS is "${named}"; use ${CHOICES.join(', ')}`);
}

/** Threads that large products may use, this one included; workers start when one is large enough. */
export function useThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new KernelError(`threads is ${threads} (ACOM_THREADS); use a whole number from 1 on`);
  }
  threadsSaid = true;
  configureThreads(threads, startWorker);
}

let threadsSaid = false;

let current: KernelChoice | null = null;

/** Which variants operations run on from now on; what was packed before stays with the variant it was packed for. */
export function useKernels(choice: KernelChoice): void {
  current = choice;
}

/** What `useKernels`, or else ACOM_KERNELS, chose. */
export function chosenKernels(): KernelChoice {
  current ??= choiceOfEnvironment();
  return current;
}

/** Runs `work`, which must not be asynchronous, on the variants of `choice`. */
export function withKernels<R>(choice: KernelChoice, work: () => R): R {
  const before = current;
  current = choice;
  try {
    return work();
  } finally {
    current = before;
  }
}

/** Kernels that note what is to be done instead of doing it, by the variants that they stand for. */
export type DeferredKernels = ReadonlyMap<readonly KernelVariant<never>[], KernelVariant<unknown>>;

let deferred: DeferredKernels | null = null;

/** Whether operations only note what is to be done: then numbers in memory are none. */
export const isDeferred = (): boolean => deferred !== null;

/**
 * Runs `work`, which must not be asynchronous, with operations that only note what is to be done, on tensors that stay apart.
 * Throws KernelError at an operation that has no such kernel.
 */
export function withDeferredKernels<R>(kernels: DeferredKernels, work: () => R): R {
  const before = deferred;
  deferred = kernels;
  try {
    return withoutScopes(work);
  } finally {
    deferred = before;
  }
}

/** Runs `work` at once even where operations are deferred: what depends on weights alone. */
export function undeferred<R>(work: () => R): R {
  const before = deferred;
  deferred = null;
  try {
    return work();
  } finally {
    deferred = before;
  }
}

function deferredOf<F>(kernels: DeferredKernels, variants: readonly KernelVariant<F>[]): F {
  const variant = (kernels as ReadonlyMap<unknown, KernelVariant<unknown>>).get(variants);
  if (variant) return variant.load() as F;
  throw new KernelError(
    `${variants[0]?.operation}: there is no kernel for a GPU; run this network on the CPU (without backend gpu)`,
  );
}

type Variants = readonly KernelVariant<unknown>[];
const chosen = new Map<KernelChoice, WeakMap<Variants, unknown>>();

/** The kernel function of `variants` that is best here, or that was asked for; made once. */
export function kernelOf<F>(variants: readonly KernelVariant<F>[]): F {
  if (deferred !== null) return deferredOf(deferred, variants);
  if (!threadsSaid) threadsOfEnvironment();
  const choice = chosenKernels();
  let kernels = chosen.get(choice);
  if (kernels === undefined) {
    kernels = new WeakMap();
    chosen.set(choice, kernels);
  }
  const known = kernels.get(variants);
  if (known !== undefined) return known as F;
  const kernel = choose(variants, choice);
  kernels.set(variants, kernel);
  return kernel;
}

function choose<F>(variants: readonly KernelVariant<F>[], choice: KernelChoice): F {
  const reference = variants.find(({ name }) => name === 'reference');
  if (reference === undefined) throw new Error('internal: a kernel without a reference');
  if (choice === 'check') {
    return crossChecked(reference.operation, fastestLoaded(variants), reference.load());
  }
  if (choice === 'auto') return fastestLoaded(variants);
  const variant = variants.find(({ name }) => name === choice);
  // An operation without this variant has nothing to force.
  if (variant === undefined) return reference.load();
  const reason = variant.available();
  if (reason !== true) throw new KernelError(`${variant.operation}: no ${choice} kernels: ${reason}`);
  return variant.load();
}

let noticed = false;

interface Fastest<F> {
  readonly name: PlainVariant;
  readonly kernel: F;
  /** Why a faster one does not run; empty where this is the fastest that there is. */
  readonly problem: string;
}

/** The first variant that is available and loads. */
function fastest<F>(variants: readonly KernelVariant<F>[]): Fastest<F> {
  let problem = '';
  for (const name of FASTEST) {
    const variant = variants.find((each) => each.name === name);
    if (variant === undefined) continue;
    const reason = variant.available();
    if (reason !== true) {
      problem = reason;
      continue;
    }
    try {
      return { name, kernel: variant.load(), problem };
    } catch (error) {
      // A page's policy may forbid compiling what the engine could run.
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  throw new KernelError(`${variants[0]?.operation}: no kernel runs here: ${problem}`);
}

/** The name of the variant that `auto` takes. */
export const automaticVariant = (variants: readonly KernelVariant<unknown>[]): PlainVariant =>
  fastest(variants).name;

/** One notice says why a slow kernel has to do. */
function fastestLoaded<F>(variants: readonly KernelVariant<F>[]): F {
  const { name, kernel, problem } = fastest(variants);
  if (name === 'reference' && problem !== '') notice(problem);
  return kernel;
}

function notice(problem: string): void {
  if (noticed) return;
  noticed = true;
  console.warn(`acom: running on the slow reference kernels: ${problem}`);
}
