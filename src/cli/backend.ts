/** Where the layers of a model run: options for it, and models that are closed after use. */
import { GPU_MODES, type GpuMode } from '../../kernels/gpu/index.js';
import { type CodecModel, loadCodecModel } from '../codec/index.js';
import type { GpuCodecModel } from '../gpu/index.js';
import { UsageError } from '../tensor/index.js';
import { InvalidArgumentError } from './commander.js';
import { modelPath } from './model.js';
import { naming } from './run.js';

export interface BackendArguments {
  readonly model?: string;
  readonly backend?: 'cpu' | 'gpu';
  readonly gpuMode?: GpuMode;
}

export const BACKEND = [
  '--backend <where>',
  'where layers run: cpu, or gpu (needs the package gpu.js)',
  (text: string): 'cpu' | 'gpu' => {
    if (text === 'cpu' || text === 'gpu') return text;
    throw new InvalidArgumentError('It must be cpu or gpu.');
  },
] as const;

export const GPU_MODE = [
  '--gpu-mode <mode>',
  'how: webgpu (needs the package webgpu; default), webasm or cpu',
  (text: string): GpuMode => {
    const mode = GPU_MODES.find((each) => each === text);
    if (mode) return mode;
    throw new InvalidArgumentError(`It must be one of ${GPU_MODES.join(', ')}.`);
  },
] as const;

/** Runs `work` with a model that is opened when it is first asked for, and gives its GPU back afterwards. */
export async function withModel<R>(
  options: BackendArguments,
  work: (open: () => Promise<CodecModel | GpuCodecModel>) => Promise<R>,
): Promise<R> {
  const { backend = 'cpu', gpuMode } = options;
  if (backend === 'cpu' && gpuMode) throw new UsageError('--gpu-mode goes with --backend gpu');
  const path = modelPath(options.model);
  let opened: GpuCodecModel | null = null;
  const open = (): Promise<CodecModel | GpuCodecModel> =>
    naming(path, async () => {
      if (backend === 'cpu') return loadCodecModel(path);
      const gpu = await import('../gpu/load.js');
      opened = await gpu.loadCodecModel(path, gpuMode ? { backend, mode: gpuMode } : { backend });
      return opened;
    });
  try {
    return await work(open);
  } finally {
    await (opened as GpuCodecModel | null)?.dispose();
  }
}
