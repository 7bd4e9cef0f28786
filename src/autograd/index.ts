/** Operations with gradients, and the tape that walks back over them. */
export { glu, leakyRelu, relu, swish } from './activations.js';
export { multiplyConstant, scale, sum } from './arithmetic.js';
export { type BatchNormResult, batchNormInference, batchNormTraining } from './batch-norm.js';
export { poolFrames, repeatFrames } from './frames.js';
export { layerNorm } from './layer-norm.js';
export { linear } from './linear.js';
export { add, scaledAdd } from './scaled-add.js';
export { concatRows, reshape, sliceRows, splitRows } from './shapes.js';
export { logSoftmax, softmax } from './softmax.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
