export { BATCH_NORM_EPSILON, BatchNorm, batchNormParameters } from './batch-norm.js';
export { type Cnn14Config, Cnn14Prefix, Cnn14Suffix, cnn14Kind } from './cnn14.js';
export { Cnn14Block } from './cnn14-block.js';
export {
  type ConformerCtcConfig,
  ConformerPrefix,
  ConformerSuffix,
  checkConformerCtc,
  encoderFrames,
  flattenedFeatures,
  frameStride,
} from './conformer-ctc.js';
export { ConformerEncoder, ConformerLayer, type EncoderConfig } from './conformer-encoder.js';
export {
  ConvolutionFrontEnd,
  type ConvolutionFrontEndConfig,
  frontEndLength,
} from './convolution-front-end.js';
export { ConvolutionModule } from './convolution-module.js';
export { FeedForward, type FeedForwardNames } from './feed-forward.js';
export { LAYER_NORM_EPSILON, LayerNorm } from './layer-norm.js';
export { Linear } from './linear.js';
export { type ConformerMacs, conformerMacs, encoderLayerMacs } from './macs.js';
export { type AttendOptions, MultiheadAttention } from './multihead-attention.js';
export type { CutShape, Half, HalfMacs, NetworkKind } from './network.js';
export { Parameters, type StateDict } from './parameters.js';
export { RelativeSelfAttention, relativePositions } from './relative-self-attention.js';
export { RotarySelfAttention, rotaryTable } from './rotary-self-attention.js';
export {
  TorchaudioConformer,
  type TorchaudioConformerConfig,
  TorchaudioConformerLayer,
} from './torchaudio-conformer.js';
