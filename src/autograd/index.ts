/** Operations with gradients, and the tape that walks back over them. */

export { glu, leakyRelu, relu, swish } from './activations.js';
export { conv2d } from './conv2d.js';
export { depthwiseConv1d } from './depthwise-conv1d.js';
export { layerNorm } from './layer-norm.js';
export { linear } from './linear.js';
export { averagePool2d, maxPool2d, type PooledImages, poolImage } from './pooling.js';
export { relativeAttention } from './relative-attention.js';
export { scaledAdd } from './scaled-add.js';
export { logSoftmax, softmax } from './softmax.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
