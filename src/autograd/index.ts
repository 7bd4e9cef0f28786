/** Operations with gradients, and the tape that walks back over them. */
export { type CtcLoss, ctcLoss } from './ctc-loss.js';
export { linear } from './linear.js';
export { scaledAdd } from './scaled-add.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
