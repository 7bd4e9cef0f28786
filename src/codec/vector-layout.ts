/** What goes over the cut as vectors: time steps are averaged, then each is one vector, or one for each frequency band. */

import { kindOf } from '../nn/kinds.js';
import type { CutShape } from '../nn/network.js';
import { poolFrames } from '../ops/frame-pooling.js';
import { pooledLength, repeatFrames } from '../quantizer/pooling.js';
import { reshape, type Tensor } from '../tensor/index.js';
import { isCodec, type NetworkModelConfig } from './config.js';

export class VectorLayout {
  /** Layer after which the network is cut; the last one where nothing is quantised. */
  readonly layer: number;
  readonly shape: CutShape;
  /** Time steps that are averaged. */
  readonly pooling: number;
  /** Vectors of an averaged step. */
  readonly perStep: number;
  /** Numbers of a vector. */
  readonly width: number;

  constructor(config: NetworkModelConfig) {
    const kind = kindOf(config.network);
    const codec = isCodec(config) ? config : null;
    this.layer = codec?.splitLayer ?? kind.layers(config.network);
    this.shape = kind.cut(config.network, this.layer);
    this.pooling = codec?.quantizer.pooling ?? 1;
    const { bands, channels } = this.shape;
    this.perStep = codec?.quantizer.vectors === 'position' ? bands : 1;
    this.width = (bands * channels) / this.perStep;
  }

  /** Vectors of `steps` time steps. */
  vectors(steps: number): number {
    return pooledLength(steps, this.pooling) * this.perStep;
  }

  /** Steps [n, bands · channels] to vectors [vectors(n), width]. */
  toVectors(steps: Tensor): Tensor {
    const pooled = this.pooling === 1 ? steps : poolFrames(steps, this.pooling);
    return reshape(pooled, [pooled.shape[0]! * this.perStep, this.width]);
  }

  /** Vectors [vectors(n), width] to the n = `steps` steps that they stand for, [n, bands · channels]. */
  toSteps(vectors: Tensor, steps: number): Tensor {
    const pooled = reshape(vectors, [vectors.shape[0]! / this.perStep, this.perStep * this.width]);
    return this.pooling === 1 ? pooled : repeatFrames(pooled, this.pooling, steps);
  }
}
