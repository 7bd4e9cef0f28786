/** What a codec must know of a conformer without its weights. */
import { type ConformerCtcConfig, checkConformerCtc, encoderFrames } from './conformer-ctc.js';
import { conformerMacs } from './macs.js';
import type { NetworkKind } from './network.js';

export const conformerKind: NetworkKind<ConformerCtcConfig> = {
  check: checkConformerCtc,
  task: 'recognition',
  describe: ({ encoder }) => `conformer, width ${encoder.width}, ${encoder.layers} layers`,
  features: ({ frontEnd }) => frontEnd.mels,
  layers: ({ encoder }) => encoder.layers,
  cut: ({ encoder }) => ({ bands: 1, channels: encoder.width }),
  steps: (config, _layer, frames) => encoderFrames(config, frames),
  leastFrames: () => 1,
  mostFrames: () => Number.POSITIVE_INFINITY,
  halfOf({ encoder, head }, layer, name) {
    if (name.startsWith('0.') || name.startsWith('1.custom_src_module.')) return 'device';
    const owner = /^1\.encoder\.layers\.(\d+)\./.exec(name)?.[1];
    if (owner !== undefined && Number(owner) < encoder.layers)
      return Number(owner) < layer ? 'device' : 'cloud';
    return name.startsWith('1.encoder.norm.') || name.startsWith(`${head}.w.`) ? 'cloud' : null;
  },
  macs: (config, layer, frames) => conformerMacs(config, frames, layer),
};
