/** Operations with gradients, and the tape that walks back over them. */
export { linear } from './linear.js';
export { relativeAttention } from './relative-attention.js';
export { scaledAdd } from './scaled-add.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
