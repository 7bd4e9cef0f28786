/** Operations on tensors: shapes checked, results new, each on the best kernel variant there is. */
export { type AttentionInputs, attention, rotatePositions } from './attention.js';
export { type BatchNormParameters, batchNorm } from './batch-norm.js';
export {
  type Conv2dFilters,
  type Conv2dOptions,
  conv2d,
  conv2dPacked,
  type FollowingNorm,
  packConv2d,
} from './conv2d.js';
export {
  type DepthwiseFilters,
  depthwiseConv1d,
  depthwiseConv1dPacked,
  packDepthwiseConv1d,
} from './depthwise-conv1d.js';
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
export { poolFrames } from './frame-pooling.js';
export { groupNorm } from './group-norm.js';
export { layerNorm } from './layer-norm.js';
export { type LinearWeights, linear, linearPacked, matmul, packLinear } from './matmul.js';
export {
  type Codebooks,
  nearestCodewords,
  nearestCodewordsPacked,
  packCodebooks,
  type Quantized,
} from './nearest-codeword.js';
export { type PaddingMask, requireMask } from './padding-mask.js';
export { averagePool2d, type Pool2dOptions } from './pooling.js';
export { type RelativeAttentionInputs, relativeAttention } from './relative-attention.js';
export { describeShape, requireRank, requireShape } from './shapes.js';
export { logSoftmax, softmax } from './softmax.js';
