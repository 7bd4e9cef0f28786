/**
 * From written kernels to running ones: what this engine can do, the one memory that all of them share, and
 * their instances. Everything is made when it is first needed.
 */
import { KernelError } from '../errors.js';
import type { KernelVariant } from '../spec.js';
import { type DefineKernel, exactArithmetic, relaxedArithmetic } from './arithmetic.js';
import { ModuleBuilder } from './assembler.js';
import { type Expression, f32x4 } from './expression.js';
import { type KernelMemory, reserveMemory } from './memory.js';
import { CONTROL_BYTES, controlBlocks, type StartWorker, ThreadPool } from './threads.js';

export type { Arithmetic, DefineKernel } from './arithmetic.js';

export interface KernelSettings {
  /** Address space of the kernels' memory; default 1 GiB. Only what is used becomes real memory. */
  readonly memoryBytes?: number;
  /**
   * All SIMD kernels as one compiled module (`acom-kernels.wasm`), for runtimes that compile no WebAssembly
   * from bytes.
   */
  readonly module?: WebAssembly.Module;
}

const MOST_BYTES = 2 ** 31 - 65536;
const LEAST_BYTES = 1 << 22;

let settings: Required<Pick<KernelSettings, 'memoryBytes'>> & KernelSettings = { memoryBytes: 2 ** 30 };
let memory: KernelMemory | null | undefined;
let precompiled: WebAssembly.Instance | undefined;

/** Sets what has to be known before the first SIMD kernel runs; throws KernelError after that. */
export function configureKernels(changes: KernelSettings): void {
  if (memory !== undefined) {
    throw new KernelError('configureKernels: the kernels are in use; call it before the first operation');
  }
  const { memoryBytes } = changes;
  if (memoryBytes !== undefined && !(memoryBytes >= LEAST_BYTES && memoryBytes <= MOST_BYTES)) {
    throw new KernelError(
      `configureKernels: memoryBytes is ${memoryBytes}; use ${LEAST_BYTES} to ${MOST_BYTES}`,
    );
  }
  settings = { ...settings, ...changes };
}

/** The memory that SIMD kernels work in; null where there is none. */
export function kernelMemory(): KernelMemory | null {
  if (memory === undefined) {
    const possible = typeof WebAssembly === 'object';
    memory = possible ? reserveMemory(settings.memoryBytes, settings.module === undefined) : null;
  }
  return memory;
}

const probes = new Map<string, boolean>();

/** Whether the engine takes a module with this expression in it. */
function engineHas(feature: string, expression: () => Expression): boolean {
  let has = probes.get(feature);
  if (has === undefined) {
    const probe = new ModuleBuilder(feature);
    probe.function('probe', {}, (f) => {
      f.local(expression());
    });
    has = typeof WebAssembly === 'object' && WebAssembly.validate(probe.bytes({ pages: 1, shared: false }));
    probes.set(feature, has);
  }
  return has;
}

const one = () => f32x4.splat({ type: 'f32', code: [0x43, 0, 0, 0x80, 0x3f] });

/** True, or why SIMD kernels can't run here. */
function simdHere(): true | string {
  if (typeof WebAssembly !== 'object') return 'this engine has no WebAssembly';
  if (!engineHas('simd', () => f32x4.add(one(), one()))) return 'this engine has no WebAssembly SIMD';
  return kernelMemory() ? true : 'the engine gave no memory';
}

function relaxedHere(): true | string {
  const simd = simdHere();
  if (simd !== true) return simd;
  if (settings.module) return 'the precompiled kernels have no relaxed SIMD';
  return engineHas('relaxed', () => f32x4.relaxedMadd(one(), one(), one()))
    ? true
    : 'this engine has no relaxed SIMD (Node 20: --experimental-wasm-relaxed-simd)';
}

/** What this engine has for SIMD kernels: true, or why not. */
export function engineFeatures(): Readonly<Record<'simd' | 'relaxed' | 'threads', true | string>> {
  const isShared = kernelMemory()?.shared ?? false;
  return {
    simd: simdHere(),
    relaxed: relaxedHere(),
    threads:
      isShared || 'no shared memory: a page needs COOP and COEP headers, and precompiled kernels have none',
  };
}

/** A kernel written for SIMD: how it is assembled and how it is called. */
export interface SimdKernel<F, E> {
  readonly name: string;
  /** One line for the catalogue. */
  readonly summary: string;
  readonly define: DefineKernel;
  /** The kernel's function on top of the module's exports. */
  readonly bind: (exports: E, memory: KernelMemory, threads: Threads) => F;
  /** Whether it runs parts of a call in other threads. */
  readonly threaded?: boolean;
}

/** The rows of a SIMD kernel for its variants: with and without fused multiply-add. */
export function simdVariants<F, E>(kernel: SimdKernel<F, E>): KernelVariant<F>[] {
  if (kernel.threaded) threadedKernels.add(kernel.define);
  const row = (name: 'simd' | 'relaxed', summary: string, available: () => true | string) => ({
    operation: kernel.name,
    name,
    summary,
    available,
    define: kernel.define,
    load: () => load(kernel, name),
  });
  return [
    row('relaxed', `${kernel.summary}; fused multiply-add`, relaxedHere),
    row('simd', kernel.summary, simdHere),
  ];
}

function load<F, E>({ name, define, bind }: SimdKernel<F, E>, variant: 'simd' | 'relaxed'): F {
  const home = kernelMemory();
  if (home === null) throw new KernelError(`kernel ${name}: the engine gave no memory`);
  return bind(exportsOf(name, define, variant, home) as E, home, threadsOf(variant, home));
}

const instances = new Map<DefineKernel, Map<string, WebAssembly.Instance>>();

/** The exports of a kernel; kernels that share `define` share an instance. */
function exportsOf(
  name: string,
  define: DefineKernel,
  variant: 'simd' | 'relaxed',
  home: KernelMemory,
): WebAssembly.Exports {
  const imports = { env: { memory: home.memory } };
  if (settings.module) {
    precompiled ??= new WebAssembly.Instance(settings.module, imports);
    requireExports(name, define, precompiled.exports);
    return precompiled.exports;
  }
  const known = instances.get(define) ?? new Map<string, WebAssembly.Instance>();
  instances.set(define, known);
  let instance = known.get(variant);
  if (instance === undefined) {
    const module = new WebAssembly.Module(assemble(name, [define], variant, home));
    instance = new WebAssembly.Instance(module, imports);
    known.set(variant, instance);
  }
  return instance.exports;
}

/** Throws KernelError where a precompiled module is not one of this version. */
function requireExports(name: string, define: DefineKernel, found: WebAssembly.Exports): void {
  const module = new ModuleBuilder(name);
  define(module, exactArithmetic);
  const missing = module.exportedNames.filter((wanted) => typeof found[wanted] !== 'function');
  if (missing.length === 0) return;
  throw new KernelError(
    `the precompiled kernels lack ${missing.join(', ')}: use the acom-kernels.wasm of this version`,
  );
}

/** The bytes of a module with the functions of all of `definitions`. */
export function assemble(
  name: string,
  definitions: readonly DefineKernel[],
  variant: 'simd' | 'relaxed',
  limits: { readonly pages: number; readonly shared: boolean },
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(name);
  for (const define of definitions)
    define(module, variant === 'relaxed' ? relaxedArithmetic : exactArithmetic);
  return module.bytes(limits);
}

/** Other threads, for kernels that have a use for them. */
export interface Threads {
  /** Threads that are there for a call of so many operations, this one included. */
  count(operations: number): number;
  /** Runs parts, at most `count` of them, of the exported function `name`: one of them by `here`. */
  run(name: string, parts: readonly (readonly number[])[], here: (...args: number[]) => void): void;
}

/** Calls below this, some 0.25 ms, gain too little for what it costs where the other cores are busy. */
const LEAST_OPERATIONS = 1e7;

const threadedKernels = new Set<DefineKernel>();
const pools = new Map<'simd' | 'relaxed', ThreadPool>();
let wantedThreads = 1;
let startWorker: StartWorker | null = null;

/** How many threads kernels may use from now on, this one included, and how a worker is started. */
export function configureThreads(threads: number, start: StartWorker): void {
  wantedThreads = threads;
  startWorker = start;
}

function threadsOf(variant: 'simd' | 'relaxed', home: KernelMemory): Threads {
  return {
    count(operations) {
      if (wantedThreads < 2 || operations < LEAST_OPERATIONS || !home.shared) return 1;
      const pool = pools.get(variant) ?? startPool(variant, home);
      return Math.min(wantedThreads, pool.ready + 1);
    },
    run(name, parts, here) {
      if (parts.length === 1) here(...(parts[0] as readonly number[]));
      else pools.get(variant)?.run(name, parts, here);
    },
  };
}

/** Starts the workers of a variant, in which all threaded kernels run; they are not ready yet. */
function startPool(variant: 'simd' | 'relaxed', home: KernelMemory): ThreadPool {
  const modules = [...threadedKernels].map(
    (define) => new WebAssembly.Module(assemble('threaded', [define], variant, home)),
  );
  const control = home.keepFloats(CONTROL_BYTES / 4);
  controls.push(control);
  const start: StartWorker = (code, data) => startWorker?.(code, data);
  const blocks = controlBlocks(control.byteOffset);
  const pool = new ThreadPool({ memory: home.memory, modules }, wantedThreads, blocks, start);
  pools.set(variant, pool);
  return pool;
}

/** Views of the control blocks: they are freed when nobody holds them. */
const controls: Float32Array[] = [];
