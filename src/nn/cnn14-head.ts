import { poolImage as poolRecordings } from '../ops/image-pooling.js';
import { linear } from '../ops/matmul.js';
import { keep, reshape, type Tensor } from '../tensor/index.js';
import { BatchNorm } from './batch-norm.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** Factor on cosines before softmax: that of the additive angular margin loss with which the published head was trained. */
export const COSINE_SCALE = 30;

/** Least length of a direction, as PyTorch's normalize has it. */
const LEAST_NORM = 1e-12;

/** The image after the last block, [batch, steps, bands, channels], to one vector for each item: [batch, channels]. */
export function poolImage(image: Tensor): Tensor {
  const [batch, steps, bands, channels] = image.shape as [number, number, number, number];
  return poolRecordings(reshape(image, [batch * steps, bands, channels]), new Array(batch).fill(steps));
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
