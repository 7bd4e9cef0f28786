/**
 * What SpeechBrain's conformer with a CTC head is before it has weights. It runs in two halves: the device's prefix
 * (conformer-prefix.ts) and the cloud's suffix (conformer-suffix.ts).
 */
import { ModelError } from '../tensor/index.js';
import type { EncoderConfig } from './conformer-encoder.js';
import { type ConvolutionFrontEndConfig, frontEndLength } from './front-end-length.js';

export interface ConformerCtcConfig {
  readonly type: 'speechbrain-conformer-ctc';
  readonly frontEnd: ConvolutionFrontEndConfig;
  readonly encoder: EncoderConfig;
  /** Classes of the CTC head, the blank (class 0) included. */
  readonly classes: number;
  /** Name of the head in the state dict: `2` where there is no attention decoder, else `3`. */
  readonly head: string;
}

/** Sizes beyond every published model; they bound what a header can make us allocate. */
const MOST: Readonly<Record<string, number>> = {
  mels: 1024,
  channels: 4096,
  kernelSizes: 31,
  strides: 8,
  width: 8192,
  heads: 256,
  layers: 256,
  feedForward: 65536,
  depthwiseTaps: 1023,
  classes: 1 << 20,
};

/** Throws ModelError where a configuration could not be a network. */
export function checkConformerCtc(config: ConformerCtcConfig): void {
  const { frontEnd, encoder, classes } = config;
  const sizes: Record<string, number | string | readonly number[]> = { ...frontEnd, ...encoder, classes };
  for (const [name, most] of Object.entries(MOST)) {
    for (const value of [sizes[name]].flat()) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) continue;
      throw new ModelError(`conformer: ${name} is ${value}, expected a whole number from 1 to ${most}`);
    }
  }
  const blocks = frontEnd.channels.length;
  if (blocks === 0 || frontEnd.kernelSizes.length !== blocks || frontEnd.strides.length !== blocks) {
    throw new ModelError('conformer: channels, kernelSizes and strides of the front end differ in number');
  }
  if (encoder.width % encoder.heads !== 0) {
    throw new ModelError(
      `conformer: a width of ${encoder.width} does not divide into ${encoder.heads} heads`,
    );
  }
  const { positions = 'relative' } = encoder;
  if (positions !== 'relative' && positions !== 'rotary') {
    throw new ModelError(`conformer: positions are ${String(positions)}, expected relative or rotary`);
  }
  if (positions === 'rotary' && (encoder.width / encoder.heads) % 2 !== 0) {
    throw new ModelError(
      `conformer: rotary positions turn pairs of features, and heads have ${encoder.width / encoder.heads}`,
    );
  }
  if (encoder.depthwiseTaps % 2 === 0) {
    throw new ModelError(`conformer: ${encoder.depthwiseTaps} depthwise taps have no centre`);
  }
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
