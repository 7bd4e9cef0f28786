/**
 * What SpeechBrain's conformer with a CTC head is before it has weights. It runs in two halves: the device's prefix
 * (conformer-prefix.ts) and the cloud's suffix (conformer-suffix.ts).
 */
import { ModelError } from '../tensor/index.js';
import { checkEncoder, type EncoderConfig } from './encoder-config.js';
import { type ConvolutionFrontEndConfig, frontEndContext, frontEndLength } from './front-end-length.js';
import { requireSizes } from './sizes.js';

export interface ConformerCtcConfig {
  readonly type: 'speechbrain-conformer-ctc';
  readonly frontEnd: ConvolutionFrontEndConfig;
  readonly encoder: EncoderConfig;
  /** Classes of the CTC head, the blank (class 0) included. */
  readonly classes: number;
  /** Name of the head in the state dict: `2` where there is no attention decoder, else `3`. */
  readonly head: string;
}

/** Sizes beyond every published model, beside those of the encoder. */
const MOST = { mels: 1024, channels: 4096, kernelSizes: 31, strides: 8, classes: 1 << 20 };

/** Throws ModelError where a configuration could not be a network. */
export function checkConformerCtc({ frontEnd, encoder, classes }: ConformerCtcConfig): void {
  requireSizes('conformer', { ...frontEnd, classes }, MOST);
  checkEncoder('conformer', encoder);
  const blocks = frontEnd.channels.length;
  if (blocks === 0 || frontEnd.kernelSizes.length !== blocks || frontEnd.strides.length !== blocks) {
    throw new ModelError('conformer: channels, kernelSizes and strides of the front end differ in number');
  }
  if (encoder.chunks) frontEndContext(frontEnd);
}

/** Encoder frames of `features` feature frames. */
export const encoderFrames = (config: ConformerCtcConfig, features: number): number =>
  frontEndLength(config.frontEnd, features);

/** Feature frames from one encoder frame to the next. */
export const frameStride = (config: ConformerCtcConfig): number =>
  config.frontEnd.strides.reduce((product, stride) => product * stride, 1);

/** Features that the linear after the front end takes: mels' · channels. */
export const flattenedFeatures = ({ frontEnd }: ConformerCtcConfig): number =>
  frontEndLength(frontEnd, frontEnd.mels) * frontEnd.channels[frontEnd.channels.length - 1]!;
