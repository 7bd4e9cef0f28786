import {
  type DepthwiseFilters,
  depthwiseConv1dPacked,
  packDepthwiseConv1d,
} from '../ops/depthwise-conv1d.js';
import { glu, swish } from '../ops/elementwise.js';
import { type LinearWeights, linearPacked, packLinear } from '../ops/matmul.js';
import { type PaddingMask, requireMask } from '../ops/padding-mask.js';
import { empty, reshape, type Tensor } from '../tensor/index.js';
import { type FrameMemory, lastFrames, remembered } from './chunk-memory.js';
import { LayerNorm } from './layer-norm.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** Sets padded frames to zero in place. x is [batch, frames, width] and contiguous. */
function zeroPadding(x: Tensor, mask: PaddingMask): void {
  const [batch, frames, width] = x.shape as [number, number, number];
  requireMask('ConvolutionModule', mask, batch, frames);
  for (let b = 0; b < batch; b++) {
    const row = mask.offset + b * mask.stride[0]!;
    for (let t = 0; t < frames; t++) {
      const from = x.offset + (b * frames + t) * width;
      if (mask.data[row + t] !== 0) x.data.fill(0, from, from + width);
    }
  }
}

/**
 * The convolution module of SpeechBrain's conformer: layer norm, pointwise convolution to 2 · width, GLU,
 * depthwise convolution, layer norm, Swish, linear. The residual is added by the encoder layer.
 */
export class ConvolutionModule {
  readonly norm: LayerNorm;
  readonly pointwiseWeight: Tensor;
  readonly pointwiseBias: Tensor;
  readonly depthwiseWeight: Tensor;
  readonly depthwiseBias: Tensor;
  readonly afterNorm: LayerNorm;
  readonly out: Linear;
  private packed: { readonly pointwise: LinearWeights; readonly depthwise: DepthwiseFilters } | null = null;

  constructor(parameters: Parameters, width: number, taps: number) {
    this.norm = new LayerNorm(parameters.scope('layer_norm'), [width]);
    const pointwise = parameters.scope('bottleneck.0');
    this.pointwiseWeight = pointwise.get('weight', [2 * width, width, 1], (w) =>
      reshape(w, [2 * width, width]),
    );
    this.pointwiseBias = pointwise.get('bias', [2 * width]);
    const depthwise = parameters.scope('conv');
    this.depthwiseWeight = depthwise.get('weight', [width, 1, taps], (w) => reshape(w, [width, taps]));
    this.depthwiseBias = depthwise.get('bias', [width]);
    this.afterNorm = new LayerNorm(parameters.scope('after_conv.0'), [width]);
    this.out = new Linear(parameters.scope('after_conv.2'), width, width);
  }

  /** x [batch, frames, width]; frames that `mask` marks come out as zeros. */
  forward(x: Tensor, mask?: PaddingMask): Tensor {
    const y = this.out.forward(this.stages(x).activated);
    if (mask) zeroPadding(y, mask);
    return y;
  }

  /** Chunks of several streams: x [streams, frames, width], each after what its memory has of the frames before. */
  forwardChunks(x: Tensor, memories: readonly FrameMemory[]): Tensor {
    const { pointwise, depthwise } = this.filters();
    const gated = glu(linearPacked(this.norm.forward(x), pointwise));
    const filtered = empty(x.shape);
    memories.forEach((memory, b) => {
      lastFrames(depthwiseConv1dPacked(remembered(gated, b, memory), depthwise), filtered, b);
    });
    return this.out.forward(swish(this.afterNorm.forward(filtered)));
  }

  /** Every step before the last linear, by name: for study and tests. */
  stages(x: Tensor) {
    const normed = this.norm.forward(x);
    const filters = this.filters();
    const pointwise = linearPacked(normed, filters.pointwise);
    const gated = glu(pointwise);
    const filtered = depthwiseConv1dPacked(gated, filters.depthwise);
    const afterNorm = this.afterNorm.forward(filtered);
    return { normed, pointwise, gated, filtered, afterNorm, activated: swish(afterNorm) };
  }

  private filters() {
    this.packed ??= {
      pointwise: packLinear(this.pointwiseWeight, this.pointwiseBias),
      depthwise: packDepthwiseConv1d(this.depthwiseWeight, this.depthwiseBias),
    };
    return this.packed;
  }
}
