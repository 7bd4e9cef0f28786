/** Operations on tensors: shapes checked, results new, each on the best kernel variant there is. */
export {
  type AttentionInputs,
  attention,
  type PaddingMask,
  type RelativeAttentionInputs,
  relativeAttention,
  requireMask,
  rotatePositions,
} from './attention.js';
export {
  type Conv2dFilters,
  type Conv2dOptions,
  conv2d,
  conv2dPacked,
  type DepthwiseFilters,
  depthwiseConv1d,
  depthwiseConv1dPacked,
  type FollowingNorm,
  packConv2d,
  packDepthwiseConv1d,
} from './convolution.js';
export {
  type DepthwiseConv2dFilters,
  type DepthwiseConv2dOptions,
  depthwiseConv2d,
  depthwiseConv2dPacked,
  packDepthwiseConv2d,
} from './depthwise-conv2d.js';
export { type KernelChoice, kernelOf, useKernels, useThreads, withKernels } from './dispatch.js';
export { glu, leakyRelu, relu, scaledAdd, swish } from './elementwise.js';
export { foldBatchNorm } from './fold-batch-norm.js';
export { type LinearWeights, linear, linearPacked, matmul, packLinear } from './matmul.js';
export {
  type Codebooks,
  nearestCodewords,
  nearestCodewordsPacked,
  packCodebooks,
  type Quantized,
} from './nearest-codeword.js';
export {
  type BatchNormParameters,
  batchNorm,
  groupNorm,
  layerNorm,
  logSoftmax,
  softmax,
} from './normalization.js';
export { averagePool2d, type Pool2dOptions } from './pooling.js';
export { describeShape, requireRank, requireShape } from './shapes.js';
