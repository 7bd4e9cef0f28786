/** The cloud's half of SpeechBrain's conformer: layers M+1..L, final norm, head. */

import type { PaddingMask } from '../ops/padding-mask.js';
import { logSoftmax } from '../ops/softmax.js';
import { scope, type Tensor } from '../tensor/index.js';
import { type EncoderMemory, reachOf } from './chunk-memory.js';
import type { ConformerCtcConfig } from './conformer-ctc.js';
import { ConformerEncoder } from './conformer-encoder.js';
import { Linear } from './linear.js';
import type { Chunked, Suffix } from './network.js';
import type { Parameters } from './parameters.js';

/** The cloud's half: frames of layer `splitLayer` in, log-probabilities of the classes out. */
export class ConformerSuffix implements Suffix {
  readonly chunks?: Chunked<EncoderMemory>;
  readonly encoder: ConformerEncoder;
  readonly head: Linear;

  constructor(parameters: Parameters, config: ConformerCtcConfig, splitLayer: number) {
    this.encoder = new ConformerEncoder(parameters.scope('1.encoder'), config.encoder, {
      from: splitLayer,
      to: config.encoder.layers,
      finalNorm: true,
    });
    this.head = new Linear(parameters.scope(`${config.head}.w`), config.encoder.width, config.classes);
    const { chunks } = config.encoder;
    if (chunks === undefined) return;
    this.chunks = {
      steps: chunks.frames,
      reach: reachOf(config.encoder, chunks, config.encoder.layers - splitLayer),
      memory: () => this.encoder.memory(),
      forward: (x, memories) =>
        scope(() => logSoftmax(this.head.forward(this.encoder.forwardChunks(x, memories)))),
    };
  }

  /** [batch, frames, width] to [batch, frames, classes]. */
  forward(x: Tensor, mask?: PaddingMask): Tensor {
    return scope(() => logSoftmax(this.head.forward(this.encoder.forward(x, mask))));
  }
}
