/** Operations with gradients, and the tape that walks back over them. */
export { depthwiseConv1d } from './depthwise-conv1d.js';
export { layerNorm } from './layer-norm.js';
export { linear } from './linear.js';
export { scaledAdd } from './scaled-add.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
