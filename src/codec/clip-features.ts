/** Features of a clip, whole: what a classifier's network sees. */
import {
  type FeatureStatistics,
  type FrontEndConfig,
  floorFeatures,
  LogMel,
  normalizeGlobally,
} from '../audio/index.js';
import type { Tensor } from '../tensor/index.js';

/** Makes the function that turns samples into features [frames, features]. */
export function clipFeatures(
  frontEnd: FrontEndConfig,
  statistics: FeatureStatistics | null,
): (samples: Float32Array) => Tensor {
  const logMel = new LogMel(frontEnd);
  return (samples) => {
    const features = logMel.frames(samples);
    floorFeatures(features.data, frontEnd.topDecibels);
    return statistics ? normalizeGlobally(features, statistics.mean, statistics.deviation) : features;
  };
}
