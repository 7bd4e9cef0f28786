/** Operations with gradients, and the tape that walks back over them. */

export { glu, leakyRelu, relu, swish } from './activations.js';
export { type BatchNormResult, batchNormInference, batchNormTraining } from './batch-norm.js';
export { layerNorm } from './layer-norm.js';
export { conv2d } from './conv2d.js';
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.js';
export { type CtcLoss, ctcLoss } from './ctc-loss.js';
export { depthwiseConv1d } from './depthwise-conv1d.js';
export { depthwiseConv2d } from './depthwise-conv2d.js';
export { layerNorm } from './layer-norm.js';
export { gatherRows } from './gather-rows.js';
export { linear } from './linear.js';
export { meanOverTime } from './mean-over-time.js';
export { relativeAttention } from './relative-attention.js';
export { scaledAdd } from './scaled-add.js';
export { add, scaledAdd } from './scaled-add.js';
export { logSoftmax, softmax } from './softmax.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
export { transpose } from './transpose.js';
export { type SoftChoice, softCounts } from './soft-counts.js';
export { squaredError } from './squared-error.js';
export { straightThrough } from './straight-through.js';
export { sumPrefix } from './sum-prefix.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
export { uniformDivergence } from './uniform-divergence.js';
export { weightedSum } from './weighted-sum.js';
