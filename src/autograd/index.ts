/** Operations with gradients, and the tape that walks back over them. */
export { depthwiseConv1d } from './depthwise-conv1d.js';
export { depthwiseConv2d } from './depthwise-conv2d.js';
export { layerNorm } from './layer-norm.js';
export { linear } from './linear.js';
export { meanOverTime } from './mean-over-time.js';
export { scaledAdd } from './scaled-add.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
export { transpose } from './transpose.js';
