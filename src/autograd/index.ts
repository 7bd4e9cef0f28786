/** Operations with gradients, and the tape that walks back over them. */
export { conv2d } from './conv2d.js';
export { depthwiseConv1d } from './depthwise-conv1d.js';
export { linear } from './linear.js';
export { scaledAdd } from './scaled-add.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
