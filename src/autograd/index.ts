/** Operations with gradients, and the tape that walks back over them. */
export { glu, leakyRelu, relu, swish } from './activations.js';
export { type BatchNormResult, batchNormInference, batchNormTraining } from './batch-norm.js';
export { conv2d } from './conv2d.js';
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.js';
export { type CtcLoss, ctcLoss } from './ctc-loss.js';
export { depthwiseConv1d } from './depthwise-conv1d.js';
export { depthwiseConv2d } from './depthwise-conv2d.js';
export { layerNorm } from './layer-norm.js';
export { linear } from './linear.js';
export { meanOverTime } from './mean-over-time.js';
export { relativeAttention } from './relative-attention.js';
export { scaledAdd } from './scaled-add.js';
export { add, scaledAdd } from './scaled-add.js';
export { logSoftmax, softmax } from './softmax.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
export { transpose } from './transpose.js';
