/**
 * What makes models, and runs anywhere: codebooks for networks that somebody else trained, networks and quantisers that can
 * be trained, and files of what was. The trainer itself, acom/trainer, needs Node.
 */
export {
  CodecExporter,
  exportCodec,
  recodeModel,
  type TrainedCodec,
} from './export.js';
export { CodecFitter, type FitCodecOptions, fitCodec } from './fit-codec.js';
export { trainableCnn14 } from './networks/cnn14.js';
export { CodedNetwork, type CodedPass } from './networks/coded-network.js';
export { trainableConformer } from './networks/conformer.js';
export { trainableKeywordConformer } from './networks/keyword-conformer.js';
export type { PackedSteps, ParameterSpec, Pass, TrainableNetwork } from './networks/network.js';
export { learnedPooling, meanPooling, type Pooling, stackedPooling } from './networks/pooling.js';
export * from './quantizer/index.js';
export * from './search/index.js';
export * from './targets.js';
