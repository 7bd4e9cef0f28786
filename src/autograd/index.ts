/** Operations with gradients, and the tape that walks back over them. */
export { glu, leakyRelu, relu, swish } from './activations.js';
export { type BatchNormResult, batchNormInference, batchNormTraining } from './batch-norm.js';
export { layerNorm } from './layer-norm.js';
export { linear } from './linear.js';
export { add, scaledAdd } from './scaled-add.js';
export { logSoftmax, softmax } from './softmax.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
