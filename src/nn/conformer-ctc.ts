/**
 * SpeechBrain's conformer with a CTC head, in two halves that run apart: the device's prefix (convolutional
 * front end, linear, layers 1..M) and the cloud's suffix (layers M+1..L, final norm, head).
 */
import { logSoftmax, type PaddingMask } from '../ops/index.js';
import { ModelError, reshape, scope, type Tensor } from '../tensor/index.js';
import { ConformerEncoder, type EncoderConfig } from './conformer-encoder.js';
import {
  ConvolutionFrontEnd,
  type ConvolutionFrontEndConfig,
  frontEndLength,
} from './convolution-front-end.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

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

/** The device's half: features in, frames of layer `splitLayer` out. */
export class ConformerPrefix {
  readonly frontEnd: ConvolutionFrontEnd;
  readonly input: Linear;
  readonly encoder: ConformerEncoder;

  constructor(parameters: Parameters, config: ConformerCtcConfig, splitLayer: number) {
    this.frontEnd = new ConvolutionFrontEnd(parameters.scope('0'), config.frontEnd);
    const source = parameters.scope('1.custom_src_module.layers.0.w');
    this.input = new Linear(source, flattenedFeatures(config), config.encoder.width);
    this.encoder = new ConformerEncoder(parameters.scope('1.encoder'), config.encoder, {
      from: 0,
      to: splitLayer,
      finalNorm: false,
    });
  }

  /** Features [batch, frames, mels] to what enters the encoder, [batch, frames', width]. */
  embed(features: Tensor): Tensor {
    const image = this.frontEnd.forward(features);
    const [batch, frames, mels, channels] = image.shape as [number, number, number, number];
    // index = frequency · channels + channel
    return this.input.forward(reshape(image, [batch, frames, mels * channels]));
  }

  forward(features: Tensor, mask?: PaddingMask): Tensor {
    return scope(() => this.encoder.forward(this.embed(features), mask));
  }
}

/** The cloud's half: frames of layer `splitLayer` in, log-probabilities of the classes out. */
export class ConformerSuffix {
  readonly encoder: ConformerEncoder;
  readonly head: Linear;

  constructor(parameters: Parameters, config: ConformerCtcConfig, splitLayer: number) {
    this.encoder = new ConformerEncoder(parameters.scope('1.encoder'), config.encoder, {
      from: splitLayer,
      to: config.encoder.layers,
      finalNorm: true,
    });
    this.head = new Linear(parameters.scope(`${config.head}.w`), config.encoder.width, config.classes);
  }

  /** [batch, frames, width] to [batch, frames, classes]. */
  forward(x: Tensor, mask?: PaddingMask): Tensor {
    return scope(() => logSoftmax(this.head.forward(this.encoder.forward(x, mask))));
  }
}
