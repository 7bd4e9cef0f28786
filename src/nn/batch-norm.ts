import { type BatchNormParameters, batchNorm } from '../ops/batch-norm.js';
import type { Tensor } from '../tensor/index.js';
import type { Parameters } from './parameters.js';

/** Epsilon of PyTorch's batch norms. */
export const BATCH_NORM_EPSILON = 1e-5;

/** Statistics, weight and bias [channels] by the names that PyTorch's batch norms give them. */
export function batchNormParameters(parameters: Parameters, channels: number): BatchNormParameters {
  return {
    mean: parameters.get('running_mean', [channels]),
    variance: parameters.get('running_var', [channels]),
    weight: parameters.get('weight', [channels]),
    bias: parameters.get('bias', [channels]),
  };
}

/** Batch normalisation with stored statistics over the last axis. */
export class BatchNorm {
  readonly parameters: BatchNormParameters;

  constructor(parameters: Parameters, channels: number) {
    this.parameters = batchNormParameters(parameters, channels);
  }

  /** [..., channels] to the same shape. */
  forward(x: Tensor): Tensor {
    return batchNorm(x, this.parameters, BATCH_NORM_EPSILON);
  }
}
