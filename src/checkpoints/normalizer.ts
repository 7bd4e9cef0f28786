/** The statistics of features that SpeechBrain keeps in normalizer.ckpt (InputNormalization, global). */
import { FormatError, type Tensor } from '../tensor/index.js';
import type { Checkpoint, CheckpointValue } from './checkpoint.js';

export interface Normalizer {
  /** Recordings that the statistics were taken from. */
  readonly count: number;
  /** [mels]. */
  readonly mean: Tensor;
  /** Standard deviation, [mels]. */
  readonly deviation: Tensor;
}

const fail = (message: string): never => {
  throw new FormatError(
    'normalizer',
    `${message}; is this SpeechBrain's normalizer.ckpt, with norm_type global?`,
  );
};

async function statistic(checkpoint: Checkpoint, name: string): Promise<Tensor> {
  const stored = checkpoint.tensors.get(name);
  if (stored === undefined) return fail(`there is no tensor ${name}`);
  if (stored.shape.length !== 1) return fail(`${name} has shape [${stored.shape.join(', ')}], not [mels]`);
  const tensor = await checkpoint.read(name);
  if (!(tensor.data instanceof Float32Array)) return fail(`${name} has type ${stored.type}, not F32`);
  return tensor as Tensor;
}

/**
 * Reads count, glob_mean and glob_std; the statistics of single speakers, which files of older versions hold too
 * (spk_dict_*), are left.
 */
export async function readNormalizer(checkpoint: Checkpoint): Promise<Normalizer> {
  const { value } = checkpoint;
  const count: CheckpointValue | undefined = value instanceof Map ? value.get('count') : undefined;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) return fail('there is no count');
  const mean = await statistic(checkpoint, 'glob_mean');
  const deviation = await statistic(checkpoint, 'glob_std');
  if (mean.size !== deviation.size) {
    return fail(`glob_mean has ${mean.size} values and glob_std ${deviation.size}`);
  }
  return { count, mean, deviation };
}
