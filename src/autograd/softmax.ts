import { logSoftmax as logSoftmaxValue, softmax as softmaxValue } from '../ops/softmax.js';
import { logSoftmaxBackward, softmaxBackward } from '../ops/softmax-backward.js';
import { record, type Variable } from './tape.js';

/** y = exp(x) / Σ exp(x) over the last axis. dx = y (dy - Σ y dy). */
export function softmax(x: Variable): Variable {
  const y = softmaxValue(x.value);
  return record([x], y, (dy) => x.accumulate(softmaxBackward(y, dy)));
}

/** y = x - log Σ exp(x) over the last axis. dx = dy - exp(y) Σ dy. */
export function logSoftmax(x: Variable): Variable {
  const y = logSoftmaxValue(x.value);
  return record([x], y, (dy) => x.accumulate(logSoftmaxBackward(y, dy)));
}
