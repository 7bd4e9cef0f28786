/** WebGPU for Node: the one file that imports `webgpu` (Dawn), an optional package. */
import { GpuError } from '../errors.js';

const HOW_TO_INSTALL =
  'WebGPU in Node needs the package webgpu: npm install webgpu@0.6 (132 MB, glibc 2.34 or newer) and a Vulkan driver';

interface WebGpuPackage {
  create(flags: readonly string[]): object;
  readonly globals: object;
}

/** Puts `navigator.gpu` where it is missing, as GPU.js asks for it there. Throws GpuError where that can't be done. */
export async function provideNavigatorGpu(): Promise<void> {
  const scope = globalThis as { navigator?: { gpu?: unknown } };
  if (scope.navigator?.gpu) return;
  if (!('process' in globalThis)) throw new GpuError('this browser has no WebGPU; use mode webgl2');
  let module: WebGpuPackage;
  try {
    module = (await import('webgpu')) as unknown as WebGpuPackage;
  } catch (error) {
    throw new GpuError(HOW_TO_INSTALL, { cause: error });
  }
  Object.assign(globalThis, module.globals);
  const gpu = { value: module.create([]), configurable: true };
  // Node 20 has no navigator.
  if (scope.navigator) Object.defineProperty(scope.navigator, 'gpu', gpu);
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu: gpu.value }, configurable: true });
}
