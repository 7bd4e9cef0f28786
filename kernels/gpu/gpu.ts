/**
 * A GPU.js instance in one mode: kernels compiled once for their sizes, arrays on the device, and their way back.
 * There is one for each process or page: many WebGL contexts take each other away.
 */
import { GpuError } from '../errors.js';
import type { Device, DeviceArray } from './device.js';
import {
  type GpuJs,
  type GpuJsConstructor,
  type GpuJsKernel,
  type GpuMode,
  type GridSize,
  loadGpuJs,
  type PipelineResult,
} from './gpu-js.js';
import { provideNavigatorGpu } from './node-webgpu.js';
import { GpuProgram } from './program.js';
import { type Region, record } from './recording.js';

/** Kernels kept compiled; the one that was used longest ago goes first. */
const MOST_KERNELS = 1024;

/** Numbers of an array on the device: indices are float32 in places, and exact up to here. */
export const MOST_NUMBERS = 2 ** 24;

const UPLOAD = 'function (x) { return x[this.thread.x]; }';

/** What GPU.js gives of a context. */
interface LostWatch {
  isContextLost?(): boolean;
  readonly isLost?: boolean;
  readonly device?: { onuncapturederror: ((event: { error: Error }) => void) | null };
}

let current: Gpu | null = null;
let holders = 0;

export class Gpu implements Device {
  private readonly kernels = new Map<string, GpuJsKernel>();
  /** Arrays on the device that were not released. */
  private readonly alive = new Set<Handle>();
  private disposed = false;
  private problem: string | null = null;
  private watched: LostWatch | null = null;

  /** @internal; use openGpu. */
  constructor(
    readonly mode: GpuMode,
    private readonly gpu: GpuJs,
  ) {}

  /** Notes the launches of `call`; a run of them uploads what it reads and writes back what it computes. */
  record(call: () => void | Promise<void>): GpuProgram {
    return new GpuProgram(this, record(call));
  }

  /**
   * Notes the launches of `work`, whose results are functions of `inputs`: nothing else that it reads may change later.
   * Only the returned regions come back, in the order of them.
   */
  compile(inputs: readonly Float32Array[], work: () => readonly Region[]): GpuProgram {
    return new GpuProgram(this, record(work, inputs));
  }

  async upload(data: Float32Array): Promise<DeviceArray> {
    // WebGPU and WebGL have no empty arrays.
    const filled = data.length > 0 ? data : new Float32Array(1);
    const size: GridSize = [filled.length];
    return this.launch(UPLOAD, {}, size, [{ value: filled, size }], 'upload');
  }

  /** Runs a kernel over a grid; the result has one number for each of its points, x fastest. */
  async launch(
    source: string,
    constants: Readonly<Record<string, number>>,
    size: GridSize,
    args: readonly DeviceArray[],
    name = 'kernel',
  ): Promise<DeviceArray> {
    this.requireUsable();
    const numbers = countOf(size);
    if (numbers > MOST_NUMBERS) {
      throw new GpuError(
        `${name}: ${numbers} numbers in one array; at most ${MOST_NUMBERS} can be addressed: use shorter recordings`,
      );
    }
    const kernel = this.kernelOf(source, constants, size, args);
    let value: PipelineResult;
    try {
      value = await kernel(...args.map((arg) => arg.value));
    } catch (error) {
      this.requireAlive();
      throw new GpuError(`${name} does not run in mode ${this.mode}: ${messageOf(error)}`, { cause: error });
    }
    this.requireMode(kernel, name);
    this.watch(value, kernel);
    if (isHandle(value)) this.alive.add(value);
    return { value: flattened(value, size), size };
  }

  /** Numbers of an array on the device. Throws GpuError where the device was lost before they were safe. */
  async read(array: DeviceArray): Promise<Float32Array> {
    this.requireUsable();
    const { value, size } = array;
    if (value instanceof Float32Array) return value;
    let nested: unknown;
    try {
      nested = await (value as { toArray(): unknown }).toArray();
    } catch (error) {
      this.requireAlive();
      throw new GpuError(`reading back failed: ${messageOf(error)}`, { cause: error });
    }
    // A lost WebGL context reads as zeros, without an error of its own.
    this.requireAlive();
    return flatten(nested, countOf(size));
  }

  /** Gives the memory of an array back. */
  release({ value }: DeviceArray): void {
    if (isHandle(value) && this.alive.delete(value)) value.delete();
  }

  /** Gives everything back that this GPU holds; the last of those who opened it destroys it. */
  async dispose(): Promise<void> {
    if (this.disposed || --holders > 0) return;
    this.disposed = true;
    current = null;
    // The device of WebGPU outlives its GPU.js: what is on it would stay.
    for (const handle of this.alive) handle.delete();
    this.alive.clear();
    this.kernels.clear();
    // It destroys its kernels, and with the first of them their context: without one it would keep that.
    await this.gpu.destroy();
  }

  private kernelOf(
    source: string,
    constants: Readonly<Record<string, number>>,
    size: GridSize,
    args: readonly DeviceArray[],
  ): GpuJsKernel {
    // Sizes of the arguments are part of what GPU.js compiles.
    const key = JSON.stringify([source, constants, size, args.map((arg) => arg.size)]);
    let kernel = this.kernels.get(key);
    if (kernel) {
      this.kernels.delete(key);
    } else {
      const settings = { pipeline: true, immutable: true, precision: 'single' } as const;
      const output = size.filter((n) => n !== undefined);
      // GPU.js takes a string for a function only where it begins like one.
      kernel = this.gpu.createKernel(source.trim(), { ...settings, output, constants });
      for (const [oldest, unused] of this.kernels) {
        if (this.kernels.size < MOST_KERNELS) break;
        this.destroyKernel(unused);
        this.kernels.delete(oldest);
      }
    }
    this.kernels.set(key, kernel);
    return kernel;
  }

  private destroyKernel(kernel: GpuJsKernel): void {
    kernel.destroy();
    // Kernels of mode cpu stay in this list when they are destroyed.
    const listed = this.gpu.kernels.indexOf(kernel.kernel);
    if (listed >= 0) this.gpu.kernels.splice(listed, 1);
  }

  /** Throws where GPU.js silently took another mode. */
  private requireMode(kernel: GpuJsKernel, name: string): void {
    const inner = kernel.kernel;
    const expected = this.mode === 'webgl2' ? 'gpu' : this.mode;
    if (!inner || inner.constructor.mode === expected) return;
    throw new GpuError(
      `${name} ran in mode ${inner.constructor.mode}, not ${this.mode}: ${inner.fallbackReason ?? 'GPU.js does not say why'}`,
    );
  }

  /** Remembers the context, and learns from it what goes wrong without an exception. */
  private watch(value: PipelineResult, kernel: GpuJsKernel): void {
    if (this.watched) return;
    const holder = (this.mode === 'webgpu' ? value : (kernel.kernel ?? this.gpu)) as { context?: LostWatch };
    this.watched = holder.context ?? {};
    const device = this.watched.device;
    if (!device) return;
    device.onuncapturederror = ({ error }) => {
      this.problem ??= error.message;
    };
  }

  private requireUsable(): void {
    if (this.disposed) throw new GpuError('it was disposed; open it again with openGpu');
    this.requireAlive();
  }

  private requireAlive(): void {
    const lost = this.watched?.isContextLost?.() ?? this.watched?.isLost ?? false;
    if (lost) {
      throw new GpuError(
        `the ${this.mode} device was lost (another page, a driver's reset, or too many contexts): nothing computed since ` +
          'can be trusted; dispose it and open it again',
      );
    }
    if (this.problem) throw new GpuError(`the ${this.mode} device reports: ${this.problem}`);
  }
}

/**
 * The GPU of this process or page, in a mode that is named. All who open it share it, and each disposes it. Throws
 * GpuError where the mode does not run here, or another mode is open.
 */
export async function openGpu(mode: GpuMode): Promise<Gpu> {
  const reason = await gpuSupport(mode);
  if (reason !== true)
    throw new GpuError(`mode ${mode} does not run here: ${reason} (webasm and cpu need no GPU)`);
  const Constructor = await loadGpuJs();
  if (current && current.mode !== mode) {
    throw new GpuError(
      `mode ${current.mode} is open; dispose it before you open ${mode}: there is one GPU for each process or page`,
    );
  }
  current ??= new Gpu(mode, create(Constructor, mode));
  holders++;
  return current;
}

function create(Constructor: GpuJsConstructor, mode: GpuMode): GpuJs {
  try {
    return new Constructor({ mode });
  } catch (error) {
    throw new GpuError(`mode ${mode} does not start: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether a mode runs here; where not, one line that says why. */
export async function gpuSupport(mode: GpuMode): Promise<true | string> {
  try {
    const Constructor = await loadGpuJs();
    switch (mode) {
      case 'cpu':
        return canGenerateCode() || 'this page forbids code from strings (unsafe-eval)';
      case 'webasm':
        return Constructor.isWebAssemblySupported || 'there is no WebAssembly';
      case 'webgl2':
        if (!Constructor.isWebGL2Supported)
          return 'WebGL 2 is for browsers; in Node use webgpu, webasm or cpu';
        return Constructor.isSinglePrecisionSupported || 'this WebGL draws no floats';
      case 'webgpu':
        await provideNavigatorGpu();
        return (
          (await Constructor.isWebGPUAvailable()) ||
          'WebGPU has no adapter: a Vulkan driver is missing, or the browser has not enabled it'
        );
    }
  } catch (error) {
    return messageOf(error);
  }
}

function canGenerateCode(): boolean {
  try {
    return new Function('return true')() === true;
  } catch {
    return false;
  }
}

/** What a mode with a GPU gives for an array: a texture or a buffer. */
interface Handle {
  delete(): void;
}
const isHandle = (value: PipelineResult): value is Handle =>
  typeof (value as Partial<Handle> | null)?.delete === 'function';

const countOf = ([x, y = 1, z = 1]: GridSize): number => x * y * z;

/** Modes without a GPU give nested arrays; kernels read flat ones. */
const flattened = (value: PipelineResult, size: GridSize): PipelineResult =>
  Array.isArray(value) || value instanceof Float32Array ? flatten(value, countOf(size)) : value;

/** Nested arrays of float32 rows as one array; without a copy where the rows lie one after another. */
function flatten(nested: unknown, length: number): Float32Array {
  if (nested instanceof Float32Array) return nested;
  let first = nested;
  while (Array.isArray(first)) first = first[0];
  if (first instanceof Float32Array && first.buffer.byteLength - first.byteOffset === 4 * length) {
    return new Float32Array(first.buffer, first.byteOffset, length);
  }
  const out = new Float32Array(length);
  let at = 0;
  const copy = (part: unknown): void => {
    if (Array.isArray(part)) {
      part.forEach(copy);
    } else {
      out.set(part as Float32Array, at);
      at += (part as Float32Array).length;
    }
  };
  copy(nested);
  return out;
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
