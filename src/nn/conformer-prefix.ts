/** The device's half of SpeechBrain's conformer: convolutional front end, linear, layers 1..M. */
import type { PaddingMask } from '../ops/padding-mask.js';
import { contiguous, reshape, scope, type Tensor } from '../tensor/index.js';
import type { EncoderMemory } from './chunk-memory.js';
import { type ConformerCtcConfig, flattenedFeatures, frameStride } from './conformer-ctc.js';
import { ConformerEncoder } from './conformer-encoder.js';
import { ConvolutionFrontEnd } from './convolution-front-end.js';
import { frontEndContext } from './front-end-length.js';
import { Linear } from './linear.js';
import type { ChunkedPrefix, Prefix } from './network.js';
import type { Parameters } from './parameters.js';

/** The device's half: features in, frames of layer `splitLayer` out. */
export class ConformerPrefix implements Prefix {
  readonly chunks?: ChunkedPrefix<EncoderMemory>;
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
    const { chunks } = config.encoder;
    if (chunks) this.chunks = this.chunked(config, chunks.frames);
  }

  private chunked(config: ConformerCtcConfig, steps: number): ChunkedPrefix<EncoderMemory> {
    return {
      steps,
      stride: frameStride(config),
      context: frontEndContext(config.frontEnd),
      memory: () => this.encoder.memory(),
      forward: (features, context, memories) =>
        scope(() => {
          const embedded = this.embed(features);
          const [streams, frames, width] = embedded.shape as [number, number, number];
          const own = embedded.lo(0, context, 0).hi(streams, frames - context, width);
          return this.encoder.forwardChunks(contiguous(own), memories);
        }),
    };
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
