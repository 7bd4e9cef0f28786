/**
 * The one file that imports GPU.js, an optional package. It translates a kernel's source, a string, into GLSL, WGSL,
 * WebAssembly or JavaScript. Kernels are strings here so that no minifier, bundler or coverage tool can rewrite them;
 * README.md of this folder says what each of them does to the text of a function.
 */
import { GpuError } from '../errors.js';

/**
 * Where kernels run: WebGL 2 and WebGPU of a browser, WebGPU of Node (package `webgpu`), or no GPU at all, as
 * WebAssembly or JavaScript that GPU.js writes. Never chosen by GPU.js: it would take what it finds.
 */
export type GpuMode = 'webgl2' | 'webgpu' | 'webasm' | 'cpu';

export const GPU_MODES: readonly GpuMode[] = ['webgl2', 'webgpu', 'webasm', 'cpu'];

/** Numbers along x (the fastest), y and z. */
export type GridSize = readonly [x: number, y?: number, z?: number];

/** What a kernel in pipeline mode gives: a texture, a buffer, or (nested) arrays in the modes without a GPU. */
export type PipelineResult = unknown;

/** A kernel of GPU.js. */
export interface GpuJsKernel {
  (...args: PipelineResult[]): PipelineResult | Promise<PipelineResult>;
  readonly kernel?: {
    readonly constructor: { readonly mode?: string };
    readonly fallbackReason?: string | null;
  };
  destroy(removeCanvasReferences?: boolean): void;
}

export interface GpuJsSettings {
  readonly output: readonly number[];
  readonly constants: Readonly<Record<string, number>>;
  readonly pipeline: true;
  readonly immutable: true;
  readonly precision: 'single';
}

export interface GpuJs {
  createKernel(source: string, settings: GpuJsSettings): GpuJsKernel;
  destroy(): Promise<void>;
  /** Those that were created and not destroyed. */
  readonly kernels: unknown[];
  readonly context?: unknown;
}

export interface GpuJsConstructor {
  new (settings: { readonly mode: GpuMode }): GpuJs;
  readonly isWebGL2Supported: boolean;
  readonly isSinglePrecisionSupported: boolean;
  readonly isWebAssemblySupported: boolean;
  isWebGPUAvailable(): Promise<boolean>;
}

const HOW_TO_INSTALL =
  'GPU kernels need the package gpu.js: npm install gpu.js. It brings 84 MB that it never loads (webgpu 0.2.9); ' +
  'to leave them out put "overrides": { "gpu.js": { "webgpu": "npm:empty-npm-package@1.0.0", "gl": ' +
  '"npm:empty-npm-package@1.0.0" } } into your package.json first';

let loading: Promise<GpuJsConstructor> | null = null;

/** GPU.js, once for the process or page. Throws GpuError where it isn't installed. */
export function loadGpuJs(): Promise<GpuJsConstructor> {
  loading ??= importGpuJs().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function importGpuJs(): Promise<GpuJsConstructor> {
  // The browser's build replaces the platform's own global GPU, the class of navigator.gpu.
  const platform = Object.getOwnPropertyDescriptor(globalThis, 'GPU');
  let module: { GPU?: unknown; default?: { GPU?: unknown } };
  try {
    module = (await import('gpu.js')) as unknown as typeof module;
  } catch (error) {
    throw new GpuError(HOW_TO_INSTALL, { cause: error });
  } finally {
    if (platform) Object.defineProperty(globalThis, 'GPU', platform);
  }
  const found = module.GPU ?? module.default?.GPU;
  if (typeof found !== 'function')
    throw new GpuError('this gpu.js has no GPU class; use version 2.24 or newer');
  return found as GpuJsConstructor;
}
