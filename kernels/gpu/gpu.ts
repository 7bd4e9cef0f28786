/** The GPU of a process or page: who opens it, and who gives it back. There is one: many WebGL contexts take each other away. */
import { GpuError } from '../errors.js';
import type { Device } from './device.js';
import { GPU_MODES, type GpuJs, type GpuJsConstructor, type GpuMode, loadGpuJs } from './gpu-js.js';
import { GpuInstance, messageOf } from './instance.js';
import { provideNavigatorGpu } from './node-webgpu.js';
import { GpuProgram } from './program.js';
import { type Region, record } from './recording.js';

/** What all who opened it share. */
interface Shared {
  readonly instance: GpuInstance;
  holders: number;
}

let current: Shared | null = null;

/** One holder's part of the GPU. */
export class Gpu {
  private disposed = false;

  /** @internal; use openGpu. */
  constructor(private readonly shared: Shared) {}

  get mode(): GpuMode {
    return this.shared.instance.mode;
  }

  /** Arrays and launches, one by one. */
  get device(): Device {
    if (this.disposed) throw new GpuError('it was disposed; open it again with openGpu');
    return this.shared.instance;
  }

  /** Notes the launches of `call`; a run of them uploads what it reads and writes back what it computes. */
  record(call: () => void | Promise<void>): GpuProgram {
    return new GpuProgram(this.device, record(call));
  }

  /**
   * Notes the launches of `work`, whose results are functions of `inputs`: nothing else that it reads may change later.
   * Only the returned regions come back, in the order of them.
   */
  compile(inputs: readonly Float32Array[], work: () => readonly Region[]): GpuProgram {
    return new GpuProgram(this.device, record(work, inputs));
  }

  /** Gives this holder's part back; with the last one goes everything that is on the device. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    if (--this.shared.holders > 0) return;
    if (current === this.shared) current = null;
    await this.shared.instance.destroy();
  }
}

/**
 * The GPU of this process or page, in a mode that is named. All who open it share it, and each disposes it; one
 * that was lost is replaced. Throws GpuError where the mode does not run here, or another mode is open.
 */
export async function openGpu(mode: GpuMode): Promise<Gpu> {
  const reason = await gpuSupport(mode);
  if (reason !== true)
    throw new GpuError(`mode ${mode} does not run here: ${reason} (webasm and cpu need no GPU)`);
  const Constructor = await loadGpuJs();
  // A lost one is nobody's to share; those who hold it give it back by themselves.
  if (current && !current.instance.isUsable) current = null;
  if (current && current.instance.mode !== mode) {
    throw new GpuError(
      `mode ${current.instance.mode} is open; dispose it before you open ${mode}: there is one GPU for each process or page`,
    );
  }
  current ??= { instance: new GpuInstance(mode, create(Constructor, mode)), holders: 0 };
  current.holders++;
  return new Gpu(current);
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
        if (!('document' in globalThis || 'importScripts' in globalThis))
          return 'WebGL 2 is for browsers; in Node use webgpu, webasm or cpu';
        if (!Constructor.isWebGL2Supported) return 'this browser has no WebGL 2, or it is switched off';
        return Constructor.isSinglePrecisionSupported || 'this WebGL draws no floats';
      case 'webgpu':
        await provideNavigatorGpu();
        return (
          (await Constructor.isWebGPUAvailable()) ||
          'WebGPU has no adapter: a Vulkan driver is missing, or the browser has not enabled it'
        );
      default:
        return `there is no such mode; use ${GPU_MODES.join(', ')}`;
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
