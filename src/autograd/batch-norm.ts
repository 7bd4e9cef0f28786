import { batchNorm } from '../ops/batch-norm.js';
import { batchNormBackward, batchStatistics } from '../ops/batch-norm-training.js';
import { scale } from '../ops/products.js';
import { reshape, ShapeError, type Tensor } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

export interface BatchNormResult {
  readonly y: Variable;
  /** Mean of the batch [C]. */
  readonly mean: Tensor;
  /** Variance of the batch [C], unbiased, as PyTorch keeps it: Σ (x - mean)² / (rows - 1). */
  readonly variance: Tensor;
  /** Numbers of each channel in the batch. */
  readonly rows: number;
}

/** The normalised x, with gradients; `ofBatch` where mean and variance are those of x. */
function normalised(
  x: Variable,
  weight: Variable,
  bias: Variable,
  statistics: { readonly mean: Tensor; readonly variance: Tensor },
  epsilon: number,
  ofBatch: boolean,
): Variable {
  const { mean, variance } = statistics;
  const y = batchNorm(x.value, { mean, variance, weight: weight.value, bias: bias.value }, epsilon);
  return record([x, weight, bias], y, (dy) => {
    const options = { mean, variance, weight: weight.value, epsilon, ofBatch };
    const { dx, dweight, dbias } = batchNormBackward(x.value, dy, options);
    x.accumulate(dx);
    weight.accumulate(dweight);
    bias.accumulate(reshape(dbias, bias.shape));
  });
}

/**
 * Batch normalisation while it trains: each channel of x [..., C] to mean 0 and variance 1 over the whole batch, then
 * weight and bias of C elements. With x̂ the normalised x, n numbers of each channel and σ = √(variance + epsilon):
 *
 *   dx = weight / σ (dy - Σ dy / n - x̂ Σ dy x̂ / n),  dweight = Σ dy x̂,  dbias = Σ dy
 *
 * Source: Ioffe and Szegedy 2015; PyTorch BatchNorm. Throws ShapeError where a channel has but one number: its deviation
 * is then 0 whatever it is.
 */
export function batchNormTraining(
  x: Variable,
  weight: Variable,
  bias: Variable,
  epsilon: number,
): BatchNormResult {
  const { mean, variance, rows } = batchStatistics(x.value);
  if (rows < 2) {
    throw new ShapeError(
      `batchNormTraining: x [${x.shape.join(', ')}] has one number for each channel; train on larger batches`,
    );
  }
  const y = normalised(x, weight, bias, { mean, variance }, epsilon, true);
  return { y, mean, variance: scale(variance, rows / (rows - 1)), rows };
}

/** Batch normalisation with stored statistics, mean and variance of C elements. dx = weight / σ · dy. */
export const batchNormInference = (
  x: Variable,
  weight: Variable,
  bias: Variable,
  mean: Tensor,
  variance: Tensor,
  epsilon: number,
): Variable => normalised(x, weight, bias, { mean, variance }, epsilon, false);
