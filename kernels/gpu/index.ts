/** Kernels on a GPU, through GPU.js. */
export { GpuError } from '../errors.js';
export { Gpu, gpuSupport, openGpu } from './gpu.js';
export { GPU_MODES, type GpuMode } from './gpu-js.js';
export { GpuProgram } from './program.js';
export type { Region } from './recording.js';
