import { type Conv2dFilters, conv2dPacked, packConv2d } from '../ops/conv2d.js';
import { leakyRelu } from '../ops/elementwise.js';
import { requireRank } from '../ops/shapes.js';
import { contiguous, reshape, type Tensor } from '../tensor/index.js';
import { blockLength, type ConvolutionFrontEndConfig } from './front-end-length.js';
import { LayerNorm } from './layer-norm.js';
import type { Parameters } from './parameters.js';

const LEAKY_SLOPE = 0.01;

/** One block: convolution, layer norm over frequency and channel together, leaky ReLU. */
class ConvolutionBlock {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly norm: LayerNorm;
  private filters: Conv2dFilters | null = null;

  constructor(
    parameters: Parameters,
    inChannels: number,
    outChannels: number,
    readonly kernel: number,
    readonly stride: number,
    outMels: number,
  ) {
    const conv = parameters.scope('conv_0.conv');
    // Stored [out, in, frequency, time], because the class swaps axes before PyTorch's Conv2d; the
    // convolution here wants [out, time, frequency, in].
    this.weight = conv.get('weight', [outChannels, inChannels, kernel, kernel], (stored) =>
      contiguous(stored.transpose(0, 3, 2, 1)),
    );
    this.bias = conv.get('bias', [outChannels]);
    this.norm = new LayerNorm(parameters.scope('norm_0.norm'), [outMels, outChannels]);
  }

  /** [batch, frames, mels, in] to [batch, frames', mels', out]. */
  convolve(x: Tensor): Tensor {
    const pad = Math.floor(this.kernel / 2);
    this.filters ??= packConv2d(this.weight, this.bias, {
      stride: [this.stride, this.stride],
      padding: [pad, pad],
      padMode: 'reflect',
    });
    return conv2dPacked(x, this.filters);
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(this.norm.forward(this.convolve(x)), LEAKY_SLOPE);
  }
}

/**
 * SpeechBrain's ConvolutionFrontEnd with one layer a block: features [batch, frames, mels] become
 * [batch, frames', mels', channels], both axes shortened by each block's stride.
 */
export class ConvolutionFrontEnd {
  readonly blocks: readonly ConvolutionBlock[];

  constructor(
    parameters: Parameters,
    readonly config: ConvolutionFrontEndConfig,
  ) {
    let inChannels = 1;
    let mels = config.mels;
    this.blocks = config.channels.map((outChannels, b) => {
      const [kernel, stride] = [config.kernelSizes[b]!, config.strides[b]!];
      mels = blockLength(mels, kernel, stride);
      const scope = parameters.scope(`convblock_${b}.convs`);
      const block = new ConvolutionBlock(scope, inChannels, outChannels, kernel, stride, mels);
      inChannels = outChannels;
      return block;
    });
  }

  forward(features: Tensor): Tensor {
    requireRank('ConvolutionFrontEnd', 'features', features, 3, '[batch, frames, mels]');
    const image = reshape(features, [...features.shape, 1]);
    return this.blocks.reduce((x, block) => block.forward(x), image);
  }
}
