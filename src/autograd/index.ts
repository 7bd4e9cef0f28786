/** Operations with gradients, and the tape that walks back over them. */
export { layerNorm } from './layer-norm.js';
export { linear } from './linear.js';
export { scaledAdd } from './scaled-add.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
