/** Layers of keyword networks on maps [batch, steps, bands, channels], batch norm folded into their weights. */

import type { BatchNormParameters } from '../ops/batch-norm.js';
import { type Conv2dFilters, conv2dPacked, packConv2d } from '../ops/conv2d.js';
import {
  type DepthwiseConv2dFilters,
  depthwiseConv2dPacked,
  packDepthwiseConv2d,
} from '../ops/depthwise-conv2d.js';
import { foldBatchNorm } from '../ops/fold-batch-norm.js';
import { type LinearWeights, linearPacked, packLinear } from '../ops/matmul.js';
import { contiguous, empty, flat, keep, reshape, type Tensor } from '../tensor/index.js';
import {
  elementsOf,
  KEYWORD_NORM_EPSILON,
  type KeywordConvolutionConfig,
  type KeywordLayerConfig,
  type KeywordLinearConfig,
  type KeywordMap,
  type KeywordSeparableConfig,
  windowAlong,
} from './keyword-cnn-config.js';
import type { Parameters } from './parameters.js';

export interface KeywordLayer {
  forward(x: Tensor): Tensor;
}

/** Weight [out, ...] and bias [out] with the batch norm after them, if any, in them. */
class FoldedWeights {
  private readonly bias: Tensor;
  private readonly norm: BatchNormParameters | null;

  constructor(
    parameters: Parameters,
    private readonly weight: Tensor,
    channels: number,
    norm: boolean,
  ) {
    this.bias = parameters.get('bias', [channels]);
    const statistics = parameters.scope('norm');
    this.norm = norm
      ? {
          weight: statistics.get('weight', [channels]),
          bias: statistics.get('bias', [channels]),
          mean: statistics.get('running_mean', [channels]),
          variance: statistics.get('running_var', [channels]),
        }
      : null;
  }

  fold(): { readonly weight: Tensor; readonly bias: Tensor } {
    if (this.norm === null) return { weight: this.weight, bias: this.bias };
    const { weight, bias } = foldBatchNorm(this.weight, this.bias, this.norm, KEYWORD_NORM_EPSILON);
    return { weight, bias: keep(bias) };
  }
}

/** [out, in, time, frequency] as it is stored to [out, time, frequency, in]. */
const channelsLast = (stored: Tensor): Tensor => contiguous(stored.transpose(0, 2, 3, 1));

/** The image with `rows` and `columns` of zeros before and after it. */
function padded(x: Tensor, rows: readonly [number, number], columns: readonly [number, number]): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [outHeight, outWidth] = [height + rows[0] + rows[1], width + columns[0] + columns[1]];
  const source = flat(x);
  const y = empty([batch, outHeight, outWidth, channels]);
  const target = flat(y).fill(0);
  const [rowLength, outRowLength] = [width * channels, outWidth * channels];
  for (let b = 0; b < batch; b++) {
    for (let row = 0; row < height; row++) {
      const from = (b * height + row) * rowLength;
      const to = (b * outHeight + row + rows[0]) * outRowLength + columns[0] * channels;
      target.set(source.subarray(from, from + rowLength), to);
    }
  }
  return y;
}

class Convolution implements KeywordLayer {
  private readonly weights: FoldedWeights;
  private readonly rows: readonly [number, number];
  private readonly columns: readonly [number, number];
  private filters: Conv2dFilters | null = null;

  constructor(
    parameters: Parameters,
    private readonly config: KeywordConvolutionConfig,
    before: KeywordMap,
  ) {
    const { channels, kernel, stride, padding, norm } = config;
    const weight = parameters.get('weight', [channels, before.channels, ...kernel], channelsLast);
    this.weights = new FoldedWeights(parameters, weight, channels, norm);
    const [rows, columns] = [
      windowAlong(before.steps, kernel[0], stride[0], padding),
      windowAlong(before.bands, kernel[1], stride[1], padding),
    ];
    this.rows = [rows.before, rows.after];
    this.columns = [columns.before, columns.after];
  }

  forward(x: Tensor): Tensor {
    const { rows, columns } = this;
    // The kernel pads both sides alike.
    const alike = rows[0] === rows[1] && columns[0] === columns[1];
    if (this.filters === null) {
      const { weight, bias } = this.weights.fold();
      this.filters = packConv2d(weight, bias, {
        stride: this.config.stride,
        padding: alike ? [rows[0], columns[0]] : [0, 0],
        padMode: 'zero',
      });
    }
    return conv2dPacked(alike ? x : padded(x, rows, columns), this.filters, this.config.activation);
  }
}

class Separable implements KeywordLayer {
  private readonly depthwise: FoldedWeights;
  private readonly pointwise: Convolution;
  private filters: DepthwiseConv2dFilters | null = null;

  constructor(
    parameters: Parameters,
    private readonly config: KeywordSeparableConfig,
    private readonly before: KeywordMap,
  ) {
    const { kernel, channels } = config;
    const inChannels = before.channels;
    const scope = parameters.scope('depthwise');
    const weight = scope.get('weight', [inChannels, 1, ...kernel], (stored) =>
      reshape(stored, [inChannels, ...kernel]),
    );
    this.depthwise = new FoldedWeights(scope, weight, inChannels, true);
    this.pointwise = new Convolution(
      parameters.scope('pointwise'),
      {
        kind: 'convolution',
        channels,
        kernel: [1, 1],
        stride: [1, 1],
        padding: 'valid',
        norm: true,
        activation: 'relu',
      },
      before,
    );
  }

  forward(x: Tensor): Tensor {
    if (this.filters === null) {
      const { kernel, stride, padding } = this.config;
      const rows = windowAlong(this.before.steps, kernel[0], stride[0], padding);
      const columns = windowAlong(this.before.bands, kernel[1], stride[1], padding);
      const { weight, bias } = this.depthwise.fold();
      this.filters = packDepthwiseConv2d(weight, bias, {
        stride,
        padding: { rows: [rows.before, rows.after], columns: [columns.before, columns.after] },
      });
    }
    return this.pointwise.forward(depthwiseConv2dPacked(x, this.filters, 'relu'));
  }
}

class FlatLinear implements KeywordLayer {
  private readonly weights: FoldedWeights;
  private readonly inFeatures: number;
  private packed: LinearWeights | null = null;

  constructor(
    parameters: Parameters,
    private readonly config: KeywordLinearConfig,
    before: KeywordMap,
  ) {
    this.inFeatures = elementsOf(before);
    const weight = parameters.get('weight', [config.features, this.inFeatures]);
    this.weights = new FoldedWeights(parameters, weight, config.features, config.norm);
  }

  forward(x: Tensor): Tensor {
    if (this.packed === null) {
      const { weight, bias } = this.weights.fold();
      this.packed = packLinear(weight, bias);
    }
    const rows = reshape(x, [x.shape[0]!, 1, 1, this.inFeatures]);
    return linearPacked(rows, this.packed, this.config.activation);
  }
}

class AveragePool implements KeywordLayer {
  forward(x: Tensor): Tensor {
    const [batch, steps, bands, channels] = x.shape as [number, number, number, number];
    const source = flat(x);
    const y = empty([batch, 1, 1, channels]);
    const places = steps * bands;
    const sums = new Float64Array(channels);
    for (let b = 0; b < batch; b++) {
      sums.fill(0);
      for (let i = b * places * channels; i < (b + 1) * places * channels; i += channels) {
        for (let c = 0; c < channels; c++) sums[c]! += source[i + c]!;
      }
      for (let c = 0; c < channels; c++) y.data[y.offset + b * channels + c] = sums[c]! / places;
    }
    return y;
  }
}

/** The layer that a configuration describes, for maps like `before`. */
export function keywordLayer(
  parameters: Parameters,
  config: KeywordLayerConfig,
  before: KeywordMap,
): KeywordLayer {
  switch (config.kind) {
    case 'convolution':
      return new Convolution(parameters, config, before);
    case 'separable':
      return new Separable(parameters, config, before);
    case 'linear':
      return new FlatLinear(parameters, config, before);
    case 'average-pool':
      return new AveragePool();
  }
}
