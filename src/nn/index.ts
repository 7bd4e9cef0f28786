export { BATCH_NORM_EPSILON, BatchNorm, batchNormParameters } from './batch-norm.js';
export { type Cnn14Config, Cnn14Prefix, Cnn14Suffix, cnn14Kind } from './cnn14.js';
export { Cnn14Block } from './cnn14-block.js';
export {
  type ConformerCtcConfig,
  checkConformerCtc,
  encoderFrames,
  flattenedFeatures,
  frameStride,
} from './conformer-ctc.js';
export { ConformerEncoder, ConformerLayer } from './conformer-encoder.js';
export { conformerKind } from './conformer-kind.js';
export { ConformerPrefix } from './conformer-prefix.js';
export { ConformerSuffix } from './conformer-suffix.js';
export { ConvolutionFrontEnd } from './convolution-front-end.js';
export { ConvolutionModule } from './convolution-module.js';
export { type ChunkConfig, checkEncoder, type EncoderConfig } from './encoder-config.js';
export { FeedForward, type FeedForwardNames } from './feed-forward.js';
export { type ConvolutionFrontEndConfig, frontEndLength } from './front-end-length.js';
export { KeywordCnnPrefix, KeywordCnnSuffix } from './keyword-cnn.js';
export {
  checkKeywordCnn,
  type KeywordCnnConfig,
  type KeywordLayerConfig,
  type KeywordMap,
  keywordCnnKind,
  keywordMapAfter,
  keywordMaps,
} from './keyword-cnn-config.js';
export { type KeywordConformerConfig, keywordConformerKind } from './keyword-conformer-config.js';
export { KeywordConformerPrefix } from './keyword-conformer-prefix.js';
export { KeywordConformerSuffix } from './keyword-conformer-suffix.js';
export { kindOf, NETWORK_TYPES, type NetworkConfig } from './kinds.js';
export { LAYER_NORM_EPSILON, LayerNorm } from './layer-norm.js';
export { Linear } from './linear.js';
export { type ConformerMacs, conformerMacs, encoderLayerMacs } from './macs.js';
export { type AttendOptions, MultiheadAttention } from './multihead-attention.js';
export type { CutShape, Half, HalfMacs, NetworkKind, Prefix, Suffix } from './network.js';
export { parameterShapes } from './parameter-shapes.js';
export { Parameters, type StateDict } from './parameters.js';
export { RelativeSelfAttention, relativePositions } from './relative-self-attention.js';
export { RotarySelfAttention, rotaryTable } from './rotary-self-attention.js';
export {
  checkTorchaudioConformer,
  TorchaudioConformer,
  type TorchaudioConformerConfig,
  TorchaudioConformerLayer,
} from './torchaudio-conformer.js';
