/** What is done to log-mel features before a network sees them. */
import { flat, type Tensor, zeros } from '../tensor/index.js';

/** Raises every feature in place to at least `topDecibels` below the largest one. */
export function floorFeatures(features: Float32Array, topDecibels: number | null): void {
  if (topDecibels === null) return;
  let floor = -Infinity;
  for (const value of features) if (value > floor) floor = value;
  floor -= topDecibels;
  for (let i = 0; i < features.length; i++) if (features[i]! < floor) features[i] = floor;
}

/** Mean and standard deviation of every feature over a training set, [features] each. */
export interface FeatureStatistics {
  readonly mean: Tensor;
  readonly deviation: Tensor;
}

/** Smallest standard deviation that features are divided by. */
const LEAST_DEVIATION = 1e-10;

/** (x - mean) / deviation per mel: features [T, mels], stored statistics of [mels] each. */
export function normalizeGlobally(features: Tensor, mean: Tensor, deviation: Tensor): Tensor {
  const x = flat(features);
  const shift = flat(mean);
  const scale = flat(deviation).map((d) => Math.max(d, LEAST_DEVIATION));
  const out = zeros(features.shape);
  for (let i = 0, m = 0; i < x.length; i++, m = (m + 1) % shift.length) {
    out.data[i] = (x[i]! - shift[m]!) / scale[m]!;
  }
  return out;
}

/** The same with the recording's own mean and (biased) standard deviation per mel. */
export function normalizeBySentence(features: Tensor): Tensor {
  const [frames, mels] = features.shape as [number, number];
  const x = flat(features);
  const mean = zeros([mels]);
  const deviation = zeros([mels]);
  for (let m = 0; m < mels; m++) {
    let sum = 0;
    for (let i = m; i < x.length; i += mels) sum += x[i]!;
    let squares = 0;
    for (let i = m; i < x.length; i += mels) squares += (x[i]! - sum / frames) ** 2;
    mean.data[m] = sum / frames;
    deviation.data[m] = Math.sqrt(squares / frames);
  }
  return normalizeGlobally(features, mean, deviation);
}
