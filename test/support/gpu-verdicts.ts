/** Verdicts on the GPU variants in one mode; runs in Node and in a page. */
import { type GpuSelection, supportMatrix, type Verdict, verifyMatrix } from '../../kernels/check/index.js';
import type { GpuMode } from '../../kernels/gpu/index.js';
import { gpuSupport } from '../../kernels/gpu/index.js';
import { kernelSpecs } from '../../kernels/index.js';

export interface GpuRun {
  /** What the mode ran on. */
  readonly device: string;
  /** Of all operations that have a GPU variant. */
  readonly verdicts: readonly Verdict[];
}

/** All GPU variants in a mode, or why it does not run here. */
export async function gpuVerdicts(mode: GpuMode, selection: GpuSelection): Promise<GpuRun | string> {
  const support = await gpuSupport(mode);
  if (support !== true) return support;
  const found: Verdict[] = [];
  for await (const { verdict } of verifyMatrix(await supportMatrix(kernelSpecs, [], [mode]), selection)) {
    if (typeof verdict === 'string') return verdict;
    found.push(verdict);
  }
  return { device: await deviceOf(mode), verdicts: found };
}

interface Adapter {
  readonly info: { readonly description: string; readonly vendor: string; readonly architecture: string };
}

/** What a mode runs on, in its own words. */
export async function deviceOf(mode: GpuMode): Promise<string> {
  if (mode === 'webgpu') {
    const { gpu } = navigator as unknown as { gpu: { requestAdapter(): Promise<Adapter | null> } };
    const info = (await gpu.requestAdapter())?.info;
    return info?.description || `${info?.vendor} ${info?.architecture}`;
  }
  if (mode === 'webgl2') {
    const context = document.createElement('canvas').getContext('webgl2');
    const names = context?.getExtension('WEBGL_debug_renderer_info');
    return names ? String(context?.getParameter(names.UNMASKED_RENDERER_WEBGL)) : 'unknown device';
  }
  return 'no GPU';
}
