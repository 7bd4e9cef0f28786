import { linear } from '../ops/matmul.js';
import { empty, keep, type Tensor } from '../tensor/index.js';
import { BatchNorm } from './batch-norm.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** Factor on cosines before softmax: that of the additive angular margin loss with which the published head was trained. */
export const COSINE_SCALE = 30;

/** Least length of a direction, as PyTorch's normalize has it. */
const LEAST_NORM = 1e-12;

/**
 * The image after the last block to one vector: the mean over the bands, of which the largest over time and the mean over
 * time are added. [batch, steps, bands, channels] to [batch, channels]; sums are float64.
 */
export function poolImage(image: Tensor): Tensor {
  const [batch, steps, bands, channels] = image.shape as [number, number, number, number];
  const y = empty([batch, channels]);
  const sums = new Float64Array(channels);
  const column = new Float64Array(channels);
  const largest = new Float64Array(channels);
  for (let b = 0; b < batch; b++) {
    sums.fill(0);
    largest.fill(-Infinity);
    let at = image.offset + b * steps * bands * channels;
    for (let t = 0; t < steps; t++) {
      column.fill(0);
      for (let f = 0; f < bands; f++) {
        for (let c = 0; c < channels; c++) column[c]! += image.data[at++]!;
      }
      for (let c = 0; c < channels; c++) {
        const mean = column[c]! / bands;
        sums[c]! += mean;
        largest[c] = Math.max(largest[c]!, mean);
      }
    }
    for (let c = 0; c < channels; c++) y.data[y.offset + b * channels + c] = largest[c]! + sums[c]! / steps;
  }
  return y;
}

/** Each row of X [rows, columns] divided by its length, in place. */
function normaliseRows(x: Tensor): Tensor {
  const [rows, columns] = x.shape as [number, number];
  for (let r = 0; r < rows; r++) {
    const row = x.data.subarray(x.offset + r * columns, x.offset + (r + 1) * columns);
    let square = 0;
    for (const value of row) square += value * value;
    const length = Math.max(Math.sqrt(square), LEAST_NORM);
    for (let c = 0; c < columns; c++) row[c]! /= length;
  }
  return x;
}

/**
 * SpeechBrain's ECAPA classifier: batch norm, linear, and the cosine of the angle to each class's direction.
 * Parameters `blocks.0.norm.*`, `blocks.1.w.*` and `weight` [classes, width], by the names of the published model.
 */
export class CosineHead {
  readonly norm: BatchNorm;
  readonly hidden: Linear;
  /** Rows of length 1. */
  readonly directions: Tensor;

  constructor(parameters: Parameters, features: number, width: number, classes: number) {
    this.norm = new BatchNorm(parameters.scope('blocks.0.norm'), features);
    this.hidden = new Linear(parameters.scope('blocks.1.w'), features, width);
    this.directions = parameters.get('weight', [classes, width], (stored) => normaliseRows(keep(stored)));
  }

  /** [batch, features] to cosines [batch, classes]. */
  forward(x: Tensor): Tensor {
    const hidden = this.hidden.forward(this.norm.forward(x));
    return linear(normaliseRows(hidden), this.directions, null);
  }
}
