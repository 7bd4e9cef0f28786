/**
 * Multiply-accumulates of matrix products and convolutions, counted as SpeechBrain computes them: the number
 * by which split layers are compared. Log-mel, norms, activations and softmax are not in it.
 */
import type { ConformerCtcConfig } from './conformer-ctc.js';
import { encoderFrames, flattenedFeatures } from './conformer-ctc.js';
import type { EncoderConfig } from './encoder-config.js';
import { blockLength } from './front-end-length.js';

/** One encoder layer over `frames` frames. */
export function encoderLayerMacs(config: EncoderConfig, frames: number): number {
  const { width: d, feedForward, depthwiseTaps, chunks } = config;
  const feedForwards = 4 * d * feedForward * frames;
  const projections = 4 * d * d * frames;
  const convolution = (3 * d * d + depthwiseTaps * d) * frames;
  if (chunks !== undefined) {
    // Three products over the keys of a chunk; positions are projected once for all chunks.
    return feedForwards + projections + 3 * d * frames * (chunks.past + chunks.frames) + convolution;
  }
  // The products of relative positions; turning queries and keys is no product of matrices.
  const distances = config.positions === 'rotary' ? 0 : 2 * frames - 1;
  const positions = d * d * distances;
  const scores = d * frames * frames + d * frames * distances;
  const values = d * frames * frames;
  return feedForwards + projections + positions + scores + values + convolution;
}

export interface ConformerMacs {
  /** The convolutions of the front end. */
  readonly frontEnd: number;
  /** The linear after the front end. */
  readonly input: number;
  readonly layer: number;
  readonly head: number;
  /** Front end, linear and layers up to the cut. */
  readonly device: number;
  /** Layers after the cut and the head. */
  readonly cloud: number;
}

/** A recording of `features` feature frames through a model cut after `splitLayer`. */
export function conformerMacs(
  config: ConformerCtcConfig,
  features: number,
  splitLayer: number,
): ConformerMacs {
  const { channels, kernelSizes, strides, mels } = config.frontEnd;
  let frontEnd = 0;
  let [frames, bands, inChannels] = [features, mels, 1];
  channels.forEach((outChannels, b) => {
    const [kernel, stride] = [kernelSizes[b]!, strides[b]!];
    frames = blockLength(frames, kernel, stride);
    bands = blockLength(bands, kernel, stride);
    frontEnd += frames * bands * outChannels * inChannels * kernel * kernel;
    inChannels = outChannels;
  });
  const { width, layers } = config.encoder;
  const steps = encoderFrames(config, features);
  const input = steps * flattenedFeatures(config) * width;
  const layer = encoderLayerMacs(config.encoder, steps);
  const head = steps * width * config.classes;
  return {
    frontEnd,
    input,
    layer,
    head,
    device: frontEnd + input + splitLayer * layer,
    cloud: (layers - splitLayer) * layer + head,
  };
}
