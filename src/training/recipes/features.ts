/** Recordings to features as the device computes them, with what training does to features. */
import { type FeatureStatistics, floorFeatures, normalizeGlobally } from '../../audio/features.js';
import { type FrontEndConfig, LogMel } from '../../audio/log-mel.js';
import { constant } from '../../autograd/index.js';
import { concatenate, flat, type Tensor, view } from '../../tensor/index.js';
import {
  type MaskOptions,
  maskFeatures,
  type Random,
  type Range,
  uniform,
  warpFeatures,
} from '../augmentation/index.js';
import type { PackedSteps } from '../networks/network.js';

/** Mean and deviation of each feature, as options of a workload hold them. */
export interface StoredStatistics {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export interface FeatureAugmentation {
  /** Factors of vocal tract length. */
  readonly warp: Range;
  readonly masks: MaskOptions;
}

export class Features {
  private readonly logMel: LogMel;
  private readonly statistics: FeatureStatistics;
  private readonly hertz: readonly number[];

  constructor(
    private readonly frontEnd: FrontEndConfig,
    { mean, deviation }: StoredStatistics,
  ) {
    this.logMel = new LogMel(frontEnd);
    const vector = (values: readonly number[]): Tensor => view(Float32Array.from(values), [values.length]);
    this.statistics = { mean: vector(mean), deviation: vector(deviation) };
    this.hertz = melCentres(frontEnd);
  }

  /** Features of recordings one after another; augmented where `random` is given. */
  pack(
    recordings: readonly Float32Array[],
    augmentation?: { readonly random: Random; readonly settings: FeatureAugmentation },
  ): PackedSteps {
    const parts = recordings.map((samples) => {
      const frames = this.logMel.frames(samples);
      floorFeatures(frames.data, this.frontEnd.topDecibels);
      const { mean, deviation } = this.statistics;
      if (augmentation === undefined) return normalizeGlobally(frames, mean, deviation);
      const { random, settings } = augmentation;
      const warped = warpFeatures(frames, this.hertz, uniform(random, settings.warp));
      return maskFeatures(normalizeGlobally(warped, mean, deviation), random, settings.masks);
    });
    const all = concatenate(parts.map(flat));
    const { mels } = this.frontEnd;
    return {
      x: constant(view(all, [all.length / mels, mels])),
      lengths: parts.map(({ shape }) => shape[0]!),
    };
  }
}

/** Frequencies of the mel filters' centres. */
function melCentres({ mels, minHertz, maxHertz }: FrontEndConfig): number[] {
  const toMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const [low, high] = [toMel(minHertz), toMel(maxHertz)];
  return Array.from(
    { length: mels },
    (_, m) => 700 * (10 ** ((low + ((m + 1) * (high - low)) / (mels + 1)) / 2595) - 1),
  );
}

/** Mean and deviation of each feature over recordings. */
export function statisticsOf(frontEnd: FrontEndConfig, recordings: Iterable<Float32Array>): StoredStatistics {
  const { mels, topDecibels } = frontEnd;
  const logMel = new LogMel(frontEnd);
  const sums = new Float64Array(mels);
  const squares = new Float64Array(mels);
  let frames = 0;
  for (const samples of recordings) {
    const { data } = logMel.frames(samples);
    floorFeatures(data, topDecibels);
    for (let i = 0; i < data.length; i++) {
      sums[i % mels]! += data[i]!;
      squares[i % mels]! += data[i]! ** 2;
    }
    frames += data.length / mels;
  }
  const mean = [...sums].map((sum) => sum / frames);
  return { mean, deviation: [...squares].map((square, m) => Math.sqrt(square / frames - mean[m]! ** 2)) };
}
