/** Operations on tensors: shapes checked, results new, each on the best kernel variant there is. */
export {
  type PaddingMask,
  type RelativeAttentionInputs,
  relativeAttention,
  requireMask,
} from './attention.js';
export { type Conv2dOptions, conv2d, depthwiseConv1d } from './convolution.js';
export { kernelOf } from './dispatch.js';
export { glu, leakyRelu, relu, scaledAdd, swish } from './elementwise.js';
export { linear, matmul } from './matmul.js';
export { nearestCodewords } from './nearest-codeword.js';
export { type BatchNormParameters, batchNorm, layerNorm, logSoftmax, softmax } from './normalization.js';
export { describeShape, requireRank, requireShape } from './shapes.js';
