/**
 * Opens codec models with a choice of where their layers run. It is not the loadCodecModel of the main entry, because a page
 * that never asks for a GPU would load a third more for it.
 */
import { type GpuMode, openGpu } from '../../kernels/gpu/index.js';
import type { CodecConfig } from '../codec/config.js';
import { type CodecModel, type CpuOptions, loadCodecModel as loadOnCpu } from '../codec/load.js';
import { type ModelSource, openModel } from '../codec/open-model.js';
import { ModelError } from '../tensor/index.js';
import { GpuCodecModel } from './gpu-model.js';

/** Where the layers of a model run: on a GPU, through a mode of GPU.js. */
export interface GpuOptions {
  readonly backend: 'gpu';
  /** webgl2 where there is a page, webgpu elsewhere, where this is left out: never what happens to be there. */
  readonly mode?: GpuMode;
}

/** The mode that is meant where none is named. */
export const defaultGpuMode = (): GpuMode => ('WebGL2RenderingContext' in globalThis ? 'webgl2' : 'webgpu');

/** Opens a codec model for the CPU, as the function of this name of the main entry. */
export async function loadCodecModel(source: ModelSource, options?: CpuOptions): Promise<CodecModel>;
/**
 * Opens a codec model for a GPU, through the optional package gpu.js: every call is then awaited, and `dispose` gives the
 * GPU back. Throws GpuError where the mode does not run here, and as the other one.
 */
export async function loadCodecModel(source: ModelSource, options: GpuOptions): Promise<GpuCodecModel>;
export async function loadCodecModel(
  source: ModelSource,
  options: CpuOptions | GpuOptions = {},
): Promise<CodecModel | GpuCodecModel> {
  if (options.backend !== 'gpu') return loadOnCpu(source, options);
  const model = await openModel(source);
  requireKernels(model.codec);
  return new GpuCodecModel(model, await openGpu(options.mode ?? defaultGpuMode()));
}

/** Throws ModelError where a network has steps that no kernel for a GPU does. */
function requireKernels({ name, network }: CodecConfig): void {
  if (network.type === 'speechbrain-conformer-ctc' && network.encoder.chunks) {
    throw new ModelError(
      `${name}: chunks are too little work for a GPU, and remember what came before on the CPU; load it without backend gpu`,
    );
  }
  if (network.type !== 'keyword-cnn') return;
  throw new ModelError(
    `${name}: there are no kernels for a GPU for padding and pooling of keyword networks; load it without backend gpu`,
  );
}
