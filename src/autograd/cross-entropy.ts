import { requireRank, requireShape } from '../ops/shapes.js';
import { logSoftmax } from '../ops/softmax.js';
import { contiguous, empty, flat, ShapeError, type Tensor, UsageError, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

export interface CrossEntropyOptions {
  /** Part of each row's probability that is shared out evenly over all classes (Szegedy et al. 2016); default 0. */
  readonly smoothing?: number;
}

/** Probabilities [rows, classes] that a row's classes should have. */
function distribution(
  targets: Tensor | readonly number[],
  rows: number,
  classes: number,
  smoothing: number,
): Tensor {
  const wanted = empty([rows, classes]);
  const q = flat(wanted);
  if ('shape' in targets) {
    requireShape('crossEntropy', 'targets', targets, [rows, classes]);
    q.set(flat(contiguous(targets)));
  } else {
    if (targets.length !== rows) {
      throw new ShapeError(
        `crossEntropy: ${rows} rows of logits and ${targets.length} classes: give one each`,
      );
    }
    q.fill(0);
    targets.forEach((target, n) => {
      if (!Number.isInteger(target) || target < 0 || target >= classes) {
        throw new UsageError(
          `crossEntropy: target ${n} is ${target}, expected a class from 0 to ${classes - 1}`,
        );
      }
      q[n * classes + target] = 1;
    });
  }
  if (smoothing !== 0) {
    for (let i = 0; i < q.length; i++) q[i] = (1 - smoothing) * q[i]! + smoothing / classes;
  }
  return wanted;
}

/**
 * -Σ q log softmax(logits), summed over the rows of logits [rows, classes], in nats. The targets q are probabilities
 * [rows, classes], each row of sum 1, or the class number of each row.
 *
 *   dlogits = softmax(logits) - q
 */
export function crossEntropy(
  logits: Variable,
  targets: Tensor | readonly number[],
  { smoothing = 0 }: CrossEntropyOptions = {},
): Variable {
  requireRank('crossEntropy', 'logits', logits.value, 2, '[rows, classes]');
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new UsageError(`crossEntropy: smoothing is ${smoothing}, expected a number from 0 to 1`);
  }
  const [rows, classes] = logits.shape as [number, number];
  const q = flat(distribution(targets, rows, classes, smoothing));
  const logProbs = flat(logSoftmax(logits.value));
  let sum = 0;
  // A class that nobody wants costs nothing, even where its probability is 0.
  for (let i = 0; i < q.length; i++) if (q[i] !== 0) sum -= q[i]! * logProbs[i]!;
  return record([logits], view(Float32Array.of(sum), [1]), (dy) => {
    const scale = flat(dy)[0]!;
    const dx = empty([rows, classes]);
    const numbers = flat(dx);
    for (let i = 0; i < numbers.length; i++) numbers[i] = scale * (Math.exp(logProbs[i]!) - q[i]!);
    logits.accumulate(dx);
  });
}
