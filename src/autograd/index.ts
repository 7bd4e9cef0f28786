/** Operations with gradients, and the tape that walks back over them. */
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.js';
export { type CtcLoss, ctcLoss } from './ctc-loss.js';
export { linear } from './linear.js';
export { scaledAdd } from './scaled-add.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
