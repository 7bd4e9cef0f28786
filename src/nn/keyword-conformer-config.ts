/**
 * What a keyword conformer is before it has weights: log-mel frames of a clip through a small depthwise-separable CNN
 * (Zhang et al. 2018, arXiv 1711.07128), conformer layers (Gulati et al. 2020), the mean over time and a linear head to one
 * class. Layer 0 is the frames that the CNN gives to the first conformer layer, layer n what conformer layer n gives.
 *
 * The norms of the CNN are layer norms over the bands and channels of a time step: they need no statistics of batches, so
 * training in shards and in small batches computes what inference does, and a model file holds nothing but weights.
 *
 * State dict, with PyTorch's layouts; N counts from 0:
 *
 *   stem.conv.weight [channels, 1, time, frequency], stem.conv.bias, stem.norm.weight and .bias [bands, channels]
 *   blocks.N.depthwise.weight [channels, 1, time, frequency], blocks.N.pointwise.weight [channels, channels] and .bias,
 *   blocks.N.norm.weight and .bias [bands, channels]
 *   linear.weight [width, bands · channels], index = band · channels + channel, and linear.bias
 *   encoder.layers.N.* and encoder.norm.norm.* as in conformer-encoder.ts
 *   head.weight [classes, width] and head.bias
 */
import { ModelError } from '../tensor/index.js';
import { checkEncoder, type EncoderConfig } from './encoder-config.js';
import { blockLength } from './front-end-length.js';
import { encoderLayerMacs } from './macs.js';
import type { Half, NetworkKind } from './network.js';
import { requireSizes } from './sizes.js';

/** Along time and frequency. */
type Pair = readonly [number, number];

export interface KeywordConformerConfig {
  readonly type: 'keyword-conformer';
  readonly mels: number;
  /** Channels of the stem and of every separable block. */
  readonly channels: number;
  /** Of the stem, a convolution of all channels; then of each depthwise-separable block. */
  readonly strides: readonly Pair[];
  readonly encoder: EncoderConfig;
  readonly classes: number;
}

/** Rows and columns of every filter; one row and column of zeros stand around each image. */
export const KEYWORD_KERNEL = 3;

/** Sizes beyond every network of this kind; they bound what a header can make us allocate. */
const MOST = { mels: 1024, channels: 4096, classes: 1 << 16, convolutions: 32 };
const MOST_STRIDE = { strides: 8 };
/** Numbers of a time step between two convolutions. */
const MOST_COLUMN = 1 << 15;
/** Feature frames of a clip: attention is between all pairs of what is left of them. */
const MOST_FRAMES = 4096;

function check(config: KeywordConformerConfig): void {
  const { mels, channels, strides, encoder, classes } = config;
  const name = 'keyword conformer';
  if (!Array.isArray(strides) || !strides.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new ModelError(`${name}: strides are no list of pairs of time and frequency`);
  }
  requireSizes(name, { mels, channels, classes, convolutions: strides.length }, MOST);
  requireSizes(name, { strides: strides.flat() }, MOST_STRIDE);
  checkEncoder(name, encoder);
  const column = bandsAfter(config, 1) * channels;
  if (column > MOST_COLUMN) {
    throw new ModelError(`${name}: the stem gives ${column} numbers a time step, at most ${MOST_COLUMN}`);
  }
}

/** Length after `convolutions` convolutions of an axis of `length`. */
const lengthAfter = (
  { strides }: KeywordConformerConfig,
  axis: 0 | 1,
  length: number,
  convolutions: number,
): number =>
  strides.slice(0, convolutions).reduce((n, stride) => blockLength(n, KEYWORD_KERNEL, stride[axis]), length);

/** Frequency bands after the stem and `convolutions` - 1 blocks. */
export const bandsAfter = (config: KeywordConformerConfig, convolutions: number): number =>
  lengthAfter(config, 1, config.mels, convolutions);

/** Frames that the CNN makes of `frames` feature frames. */
const encoderFrames = (config: KeywordConformerConfig, frames: number): number =>
  lengthAfter(config, 0, frames, config.strides.length);

/** Features that the linear after the CNN takes: bands · channels. */
export const columnFeatures = (config: KeywordConformerConfig): number =>
  bandsAfter(config, config.strides.length) * config.channels;

const FRONT_END = /^(?:stem\.(?:conv|norm)\.(?:weight|bias)|linear\.(?:weight|bias))$/;
const BLOCK = /^blocks\.(\d+)\.(?:depthwise\.weight|(?:pointwise|norm)\.(?:weight|bias))$/;
const CLOUD = /^(?:encoder\.norm\.norm|head)\.(?:weight|bias)$/;

function halfOf({ strides, encoder }: KeywordConformerConfig, layer: number, name: string): Half | null {
  if (FRONT_END.test(name)) return 'device';
  if (CLOUD.test(name)) return 'cloud';
  const block = BLOCK.exec(name)?.[1];
  if (block !== undefined) return Number(block) < strides.length - 1 ? 'device' : null;
  const owner = Number(/^encoder\.layers\.(\d+)\./.exec(name)?.[1] ?? Number.NaN);
  if (!(owner < encoder.layers)) return null;
  return owner < layer ? 'device' : 'cloud';
}

export const keywordConformerKind: NetworkKind<KeywordConformerConfig> = {
  check,
  task: 'classification',
  describe: ({ channels, strides, encoder }) =>
    `keyword conformer, ${strides.length - 1} separable blocks of ${channels} channels, width ${encoder.width}, ` +
    `${encoder.layers} layers`,
  features: ({ mels }) => mels,
  layers: ({ encoder }) => encoder.layers,
  cut: ({ encoder }) => ({ bands: 1, channels: encoder.width }),
  steps: (config, _layer, frames) => encoderFrames(config, frames),
  leastFrames: () => 1,
  mostFrames: () => MOST_FRAMES,
  halfOf,
  macs(config, layer, frames) {
    const { channels, strides, encoder, classes } = config;
    const steps = encoderFrames(config, frames);
    let frontEnd = steps * columnFeatures(config) * encoder.width;
    strides.forEach((_, n) => {
      const pixels = lengthAfter(config, 0, frames, n + 1) * bandsAfter(config, n + 1);
      frontEnd += pixels * channels * (KEYWORD_KERNEL ** 2 + (n === 0 ? 0 : channels));
    });
    const each = encoderLayerMacs(encoder, steps);
    return {
      device: frontEnd + layer * each,
      cloud: (encoder.layers - layer) * each + encoder.width * classes,
    };
  },
};
