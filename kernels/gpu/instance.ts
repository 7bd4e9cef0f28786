/** GPU.js in one mode: kernels compiled once for their sizes, arrays on the device, and their way back. */
import { GpuError } from '../errors.js';
import type { Device, DeviceArray } from './device.js';
import type { GpuJs, GpuJsKernel, GpuMode, GridSize, PipelineResult } from './gpu-js.js';
import { IDENTITY } from './sources.js';

/** Kernels kept compiled; the one that was used longest ago goes first. */
const MOST_KERNELS = 1024;

/** Numbers of an array on the device: indices are float32 in places, and exact up to here. */
export const MOST_NUMBERS = 2 ** 24;

/** What GPU.js gives of a context. */
interface LostWatch {
  isContextLost?(): boolean;
  readonly isLost?: boolean;
  readonly device?: { onuncapturederror: ((event: { error: Error }) => void) | null };
}

export class GpuInstance implements Device {
  private readonly kernels = new Map<string, GpuJsKernel>();
  /** Arrays on the device that were not released. */
  private readonly alive = new Set<Handle>();
  private disposed = false;
  private problem: string | null = null;
  private watched: LostWatch | null = null;

  constructor(
    readonly mode: GpuMode,
    private readonly gpu: GpuJs,
  ) {}

  async upload(data: Float32Array): Promise<DeviceArray> {
    // WebGPU and WebGL have no empty arrays.
    const filled = data.length > 0 ? data : new Float32Array(1);
    const size: GridSize = [filled.length];
    return this.launch(IDENTITY, {}, size, [{ value: filled, size }], 'upload');
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
    if (isHandle(value)) this.alive.add(value);
    if (this.disposed) this.release({ value, size });
    this.requireUsable();
    this.requireMode(kernel, name);
    this.watch(value, kernel);
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

  /** Gives everything back that is on the device. */
  async destroy(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
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

  private get isLost(): boolean {
    return this.watched?.isContextLost?.() ?? this.watched?.isLost ?? false;
  }

  /** Whether its numbers can be trusted still. */
  get isUsable(): boolean {
    return !this.disposed && !this.isLost && this.problem === null;
  }

  private requireAlive(): void {
    if (this.isLost) {
      throw new GpuError(
        `the ${this.mode} device was lost (another page, a driver's reset, or too many contexts): nothing computed since ` +
          'can be trusted; dispose it and open it again',
      );
    }
    if (this.problem) throw new GpuError(`the ${this.mode} device reports: ${this.problem}`);
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

export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
