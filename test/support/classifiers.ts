/** Tiny classifiers with seeded random weights, and sounds for them: what no training is needed to test. */
import type { FrontEndConfig } from '../../src/audio/index.js';
import type { TensorData } from '../../src/checkpoints/index.js';
import {
  FEATURE_DEVIATION,
  FEATURE_MEAN,
  type NetworkModelConfig,
  writeModel,
} from '../../src/codec/index.js';
import {
  type Cnn14Config,
  type KeywordConformerConfig,
  type NetworkConfig,
  parameterShapes,
} from '../../src/nn/index.js';
import { importArmKeywords } from '../../src/published/index.js';
import { createNormal, createRandom } from '../../src/tensor/index.js';
import { type FitCodecOptions, fitCodec } from '../../src/training/index.js';
import { keywordFixture } from './keyword-fixtures.js';

export const RATE = 8000;
/** 41 feature frames. */
export const CLIP_SECONDS = 0.4;
export const CLIP = CLIP_SECONDS * RATE;

export const FRONT_END: FrontEndConfig = {
  sampleRate: RATE,
  fftSize: 256,
  windowSamples: 200,
  hopSamples: 80,
  mels: 16,
  minHertz: 50,
  maxHertz: 4000,
  spectrum: 'power',
  compression: 'decibel',
  topDecibels: 60,
};

export const CNN14: Cnn14Config = {
  type: 'cnn14',
  mels: 16,
  channels: [4, 6, 8],
  classes: 5,
  head: 'linear',
};

export const KEYWORD_CONFORMER: KeywordConformerConfig = {
  type: 'keyword-conformer',
  mels: 16,
  channels: 6,
  strides: [
    [2, 2],
    [2, 2],
    [1, 1],
  ],
  encoder: { width: 8, heads: 2, layers: 3, feedForward: 12, depthwiseTaps: 5 },
  classes: 5,
};

/** Seeded weights that let signals through: variances are positive, and products neither vanish nor explode. */
export async function randomWeights(network: NetworkConfig, seed: number): Promise<Map<string, TensorData>> {
  const normal = createNormal(createRandom(seed));
  const weights = new Map<string, TensorData>();
  for (const [name, shape] of await parameterShapes(network)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const inputs = shape.slice(1).reduce((product, n) => product * n, 1);
    const value = (): number => {
      if (name.endsWith('running_var')) return 0.5 + normal() ** 2;
      if (shape.length === 1 || name.includes('norm'))
        return name.endsWith('weight') ? 1 + 0.3 * normal() : 0.1 * normal();
      return ((name.includes('conv') ? 1 : 0.6) * normal()) / Math.sqrt(inputs);
    };
    weights.set(name, { data: Float32Array.from({ length: size }, value), shape });
  }
  return weights;
}

export const tinyConfig = (change: Partial<NetworkModelConfig> = {}): NetworkModelConfig => ({
  name: 'tiny-cnn14',
  task: 'classification',
  labels: ['a', 'b', 'c', 'd', 'e'],
  frontEnd: FRONT_END,
  clipSeconds: CLIP_SECONDS,
  network: CNN14,
  licence: 'MIT',
  trainingData: ['nothing: random weights'],
  ...change,
});

/** The file of a CNN14 without codebooks, whose features are shifted and scaled by stored statistics. */
export async function tinyCnn14(change: Partial<NetworkModelConfig> = {}, seed = 1): Promise<Uint8Array> {
  const config = tinyConfig(change);
  const weights = await randomWeights(config.network, seed);
  if (config.normalization !== 'none') {
    const mean = Float32Array.from({ length: 16 }, (_, m) => -30 - m);
    weights.set(FEATURE_MEAN, { data: mean, shape: [16] });
    weights.set(FEATURE_DEVIATION, { data: mean.map((_, m) => 10 + m), shape: [16] });
  }
  return writeModel(config, weights);
}

/** The file of a keyword conformer without codebooks. */
export const tinyKeywordConformer = (): Promise<Uint8Array> =>
  tinyCnn14({ name: 'tiny-keyword-conformer', network: KEYWORD_CONFORMER }, 3);

/** The file of a keyword network without codebooks, whose clips are as long as its fixture's utterance. */
export async function tinyKeywords(name: 'plain' | 'separable'): Promise<Uint8Array> {
  const { json, bin } = keywordFixture(name);
  return (await importArmKeywords(json, bin, { name: `tiny-${name}` })).model;
}

/** Noise and three tones that move, all seeded. */
export function sound(samples: number, seed: number, rate = RATE): Float32Array {
  const random = createRandom(seed);
  const tones = Array.from({ length: 3 }, () => [0.2 * random(), 100 + 3000 * random(), 800 * random()]);
  return Float32Array.from({ length: samples }, (_, i) => {
    const t = i / rate;
    const wave = tones.reduce(
      (sum, [level, hertz, slope]) => sum + level! * Math.sin(2 * Math.PI * t * (hertz! + slope! * t)),
      0,
    );
    return wave + 0.02 * (2 * random() - 1);
  });
}

/** A codec model of a network, with codebooks fitted to `recordings` at `rate`. */
export async function fitted(
  network: Uint8Array,
  options: FitCodecOptions,
  recordings: readonly Float32Array[],
  rate = RATE,
): Promise<Uint8Array> {
  const fitter = await fitCodec(network, options);
  for (const samples of recordings) {
    const stream = fitter.stream(rate);
    stream.push(samples);
    stream.finish();
  }
  return fitter.finish();
}
