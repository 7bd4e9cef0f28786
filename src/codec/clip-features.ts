/** Features of a clip, whole: what a classifier's network sees. */

import { type FeatureStatistics, floorFeatures, normalizeGlobally } from '../audio/features.js';
import { type AnyFrontEnd, isMfcc } from '../audio/front-end.js';
import { LogMel } from '../audio/log-mel.js';
import { Mfcc } from '../audio/mfcc.js';
import type { Tensor } from '../tensor/index.js';

/** Makes the function that turns samples into features [frames, features]. */
export function clipFeatures(
  frontEnd: AnyFrontEnd,
  statistics: FeatureStatistics | null,
): (samples: Float32Array) => Tensor {
  const features = isMfcc(frontEnd) ? mfccFeatures(new Mfcc(frontEnd)) : logMelFeatures(new LogMel(frontEnd));
  if (statistics === null) return features;
  return (samples) => normalizeGlobally(features(samples), statistics.mean, statistics.deviation);
}

const mfccFeatures = (mfcc: Mfcc) => (samples: Float32Array) => mfcc.frames(samples);

const logMelFeatures = (logMel: LogMel) => (samples: Float32Array) => {
  const features = logMel.frames(samples);
  floorFeatures(features.data, logMel.config.topDecibels);
  return features;
};
