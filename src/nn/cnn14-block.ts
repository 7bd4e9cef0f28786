import { type Conv2dFilters, conv2dPacked, packConv2d } from '../ops/conv2d.js';
import { averagePool2d } from '../ops/pooling.js';
import { ModelError, scope, type Tensor } from '../tensor/index.js';
import { BATCH_NORM_EPSILON, batchNormParameters } from './batch-norm.js';
import { KERNEL } from './cnn14-config.js';
import type { Parameters } from './parameters.js';

const SAME = { stride: [1, 1], padding: [1, 1], padMode: 'zero' } as const;
const HALVING = { window: [2, 2], stride: [2, 2] } as const;

/**
 * A block of CNN14: twice a convolution 3 x 3 without bias, batch norm and ReLU; then, but for the last block, averages
 * of 2 x 2 pixels. Of the weights only the packed filters stay, with the batch norms in them: they are hundreds of
 * megabytes at the published width.
 */
export class Cnn14Block {
  private readonly layers: readonly (Conv2dFilters | null)[];

  constructor(
    parameters: Parameters,
    inChannels: number,
    outChannels: number,
    readonly pools: boolean,
  ) {
    this.layers = [
      packLayer(parameters, 1, inChannels, outChannels),
      packLayer(parameters, 2, outChannels, outChannels),
    ];
  }

  /** [batch, steps, bands, inChannels] to [batch, steps', bands', outChannels]. */
  forward(x: Tensor): Tensor {
    return scope(() => {
      const y = this.layers.reduce((image, filters) => {
        if (filters) return conv2dPacked(image, filters, 'relu');
        throw new ModelError('cnn14: a block lacks weights; Parameters.requireComplete says which');
      }, x);
      return this.pools ? averagePool2d(y, HALVING) : y;
    });
  }
}

/** Filters of convolution `number` of a block; null where its parameters are not all there. */
function packLayer(
  parameters: Parameters,
  number: number,
  inChannels: number,
  outChannels: number,
): Conv2dFilters | null {
  const norm = batchNormParameters(parameters.scope(`norm${number}`), outChannels);
  // Stored [out, in, time, frequency]
  const shape = [outChannels, inChannels, KERNEL, KERNEL];
  const weight = parameters.scope(`conv${number}`).get('weight', shape);
  if (!parameters.isComplete) return null;
  return packConv2d(weight.transpose(0, 2, 3, 1), null, SAME, 'kept', {
    parameters: norm,
    epsilon: BATCH_NORM_EPSILON,
  });
}
