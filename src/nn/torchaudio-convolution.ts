import {
  type DepthwiseFilters,
  depthwiseConv1dPacked,
  packDepthwiseConv1d,
} from '../ops/depthwise-conv1d.js';
import { glu, swish } from '../ops/elementwise.js';
import { foldBatchNorm } from '../ops/fold-batch-norm.js';
import { groupNorm } from '../ops/group-norm.js';
import { type LinearWeights, linearPacked, packLinear } from '../ops/matmul.js';
import { reshape, type Tensor } from '../tensor/index.js';
import { BATCH_NORM_EPSILON, batchNormParameters } from './batch-norm.js';
import { LayerNorm } from './layer-norm.js';
import type { Parameters } from './parameters.js';

/** Epsilon of PyTorch's group norm. */
const GROUP_NORM_EPSILON = 1e-5;

/** The parameters of the module as they are stored, until they are packed. */
interface Stored {
  readonly pointwise: readonly [weight: Tensor, bias: Tensor];
  readonly depthwise: readonly [weight: Tensor, bias: Tensor];
  readonly out: readonly [weight: Tensor, bias: Tensor];
}

interface Packed {
  readonly pointwise: LinearWeights;
  readonly depthwise: DepthwiseFilters;
  readonly out: LinearWeights;
}

/**
 * The convolution module of torchaudio's Conformer: layer norm, pointwise convolution to 2 · width, GLU, depthwise
 * convolution, batch norm or group norm, Swish, pointwise convolution. The residual is added by the layer. A batch norm
 * becomes part of the depthwise filters.
 */
export class TorchaudioConvolution {
  readonly norm: LayerNorm;
  private readonly groupNorm: readonly [weight: Tensor, bias: Tensor] | null;
  private readonly stored: Stored;
  private packed: Packed | null = null;

  constructor(parameters: Parameters, width: number, taps: number, norm: 'batch' | 'group') {
    this.norm = new LayerNorm(parameters.scope('layer_norm'), [width]);
    const sequential = parameters.scope('sequential');
    const convolution = (number: number, out: number, each: readonly number[], columns: number) => {
      const scope = sequential.scope(String(number));
      const weight = scope.get('weight', [out, ...each], (stored) => reshape(stored, [out, columns]));
      return [weight, scope.get('bias', [out])] as const;
    };
    const pointwise = convolution(0, 2 * width, [width, 1], width);
    let depthwise = convolution(2, width, [1, taps], taps);
    const afterwards = sequential.scope('3');
    this.groupNorm = null;
    if (norm === 'group') {
      this.groupNorm = [afterwards.get('weight', [width]), afterwards.get('bias', [width])];
    } else {
      const statistics = batchNormParameters(afterwards, width);
      if (parameters.isComplete) {
        const folded = foldBatchNorm(...depthwise, statistics, BATCH_NORM_EPSILON);
        depthwise = [folded.weight, folded.bias];
      }
    }
    this.stored = { pointwise, depthwise, out: convolution(5, width, [width, 1], width) };
  }

  /** x [batch, frames, width] to the same shape. */
  forward(x: Tensor): Tensor {
    const { pointwise, depthwise, out } = this.filters();
    const gated = glu(linearPacked(this.norm.forward(x), pointwise));
    const filtered = depthwiseConv1dPacked(gated, depthwise);
    const normed = this.groupNorm ? groupNorm(filtered, ...this.groupNorm, GROUP_NORM_EPSILON) : filtered;
    return linearPacked(swish(normed), out);
  }

  private filters(): Packed {
    this.packed ??= {
      pointwise: packLinear(...this.stored.pointwise),
      depthwise: packDepthwiseConv1d(...this.stored.depthwise),
      out: packLinear(...this.stored.out),
    };
    return this.packed;
  }
}
