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
export { FeedForward } from './feed-forward.js';
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
export { LAYER_NORM_EPSILON, LayerNorm } from './layer-norm.js';
export { Linear } from './linear.js';
export { type ConformerMacs, conformerMacs, encoderLayerMacs } from './macs.js';
export type { CutShape, Half, HalfMacs, NetworkKind } from './network.js';
export { Parameters, type StateDict } from './parameters.js';
export { RelativeSelfAttention, relativePositions } from './relative-self-attention.js';
