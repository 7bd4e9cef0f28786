/**
 * Augmentation of features [T, F]. Masks: D. S. Park and others, SpecAugment, arXiv:1904.08779, with at most a part of
 * the frames under masks (arXiv:1912.05533). Warping: vocal tract length perturbation, N. Jaitly and G. E. Hinton 2013.
 */
import { flat, ShapeError, type Tensor, UsageError, view } from '../../tensor/index.js';
import { integer, type Random } from './random.js';

export interface MaskOptions {
  readonly timeMasks: number;
  /** Frames of a mask at most. */
  readonly mostFrames: number;
  /** Part of all frames that all masks over time cover together at most. Default 0.4. */
  readonly mostOfTime?: number;
  readonly frequencyMasks: number;
  /** Features of a mask at most. */
  readonly mostFeatures: number;
  /** What stands under a mask; the recording's mean where it is left out. Normalised features have the mean 0. */
  readonly fill?: number;
}

/** Frames or features from `begin` to `end` - 1. */
export interface Mask {
  readonly begin: number;
  readonly end: number;
}

function drawMask(random: Random, of: number, most: number): Mask {
  const length = integer(random, [0, Math.min(most, of)]);
  const begin = integer(random, [0, of - length]);
  return { begin, end: begin + length };
}

/** Masks for a recording of `frames` frames of `features` features. */
export function drawMasks(
  frames: number,
  features: number,
  random: Random,
  options: MaskOptions,
): { readonly time: readonly Mask[]; readonly frequency: readonly Mask[] } {
  const { timeMasks, mostFrames, mostOfTime = 0.4, frequencyMasks, mostFeatures } = options;
  const counts = [timeMasks, mostFrames, frequencyMasks, mostFeatures];
  if (
    !counts.every((count) => Number.isInteger(count) && count >= 0) ||
    !(mostOfTime >= 0 && mostOfTime <= 1)
  ) {
    throw new UsageError(`drawMasks: ${JSON.stringify(options)} makes no sense`);
  }
  const each = Math.min(mostFrames, Math.floor((mostOfTime * frames) / Math.max(1, timeMasks)));
  return {
    time: Array.from({ length: timeMasks }, () => drawMask(random, frames, each)),
    frequency: Array.from({ length: frequencyMasks }, () => drawMask(random, features, mostFeatures)),
  };
}

const frameShape = (what: string, { shape }: Tensor): [number, number] => {
  if (shape.length === 2) return shape as [number, number];
  throw new ShapeError(`${what}: features have the shape [${shape.join(', ')}], not [frames, features]`);
};

/** A copy of one recording's features [T, F] with masks over time and frequency. */
export function maskFeatures(features: Tensor, random: Random, options: MaskOptions): Tensor {
  const [frames, width] = frameShape('maskFeatures', features);
  const data = Float32Array.from(flat(features));
  const { time, frequency } = drawMasks(frames, width, random, options);
  const fill = options.fill ?? data.reduce((sum, x) => sum + x, 0) / Math.max(1, data.length);
  for (const { begin, end } of time) data.fill(fill, begin * width, end * width);
  for (const { begin, end } of frequency) {
    for (let t = 0; t < frames; t++) data.fill(fill, t * width + begin, t * width + end);
  }
  return view(data, [frames, width]);
}

/** Part of the frequency range above which warping goes back to the end of it. */
const WARP_KNEE = 0.75;

/**
 * Log-mel features [T, F] of a vocal tract `factor` times as short: formants move up by it where it is more than 1. Feature
 * f of the result is that of the position whose frequency, by the piecewise linear map of vocal tract length normalisation,
 * is 1 / factor times as high; between filters features are interpolated. `hertz`: what the filters' centres stand for.
 */
export function warpFeatures(features: Tensor, hertz: ArrayLike<number>, factor: number): Tensor {
  const [frames, width] = frameShape('warpFeatures', features);
  if (hertz.length !== width || width < 2) {
    throw new ShapeError(`warpFeatures: ${hertz.length} frequencies for features [${frames}, ${width}]`);
  }
  if (!(factor >= 0.5 && factor <= 2)) {
    throw new UsageError(`warpFeatures: a factor of ${factor} makes no sense; 0.5 to 2 do`);
  }
  const top = hertz[width - 1]!;
  const knee = WARP_KNEE * top * Math.min(1, factor);
  const source = (f: number): number =>
    f <= knee ? f / factor : knee / factor + ((f - knee) * (top - knee / factor)) / (top - knee);
  const below = new Int32Array(width);
  const part = new Float64Array(width);
  for (let f = 0, i = 0; f < width; f++) {
    const wanted = source(hertz[f]!);
    while (i < width - 2 && hertz[i + 1]! <= wanted) i++;
    below[f] = i;
    part[f] = Math.max(0, Math.min(1, (wanted - hertz[i]!) / (hertz[i + 1]! - hertz[i]!)));
  }
  const x = flat(features);
  const out = new Float32Array(frames * width);
  for (let t = 0; t < frames; t++) {
    for (let f = 0; f < width; f++) {
      const at = t * width + below[f]!;
      out[t * width + f] = x[at]! + part[f]! * (x[at + 1]! - x[at]!);
    }
  }
  return view(out, [frames, width]);
}
