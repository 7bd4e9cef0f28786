/**
 * What goes over the cut as vectors: time steps are averaged, or stacked, then each is one vector, or one for each frequency
 * band.
 */

import { kindOf } from '../nn/kinds.js';
import type { CutShape } from '../nn/network.js';
import { padFrames, poolFrames } from '../ops/frame-pooling.js';
import { pooledLength, repeatFrames } from '../quantizer/pooling.js';
import { reshape, type Tensor } from '../tensor/index.js';
import { isCodec, type NetworkModelConfig } from './config.js';

export class VectorLayout {
  /** Layer after which the network is cut; the last one where nothing is quantised. */
  readonly layer: number;
  readonly shape: CutShape;
  /** Time steps that become one. */
  readonly pooling: number;
  /** Vectors of what they become. */
  readonly perStep: number;
  /** Numbers of a vector. */
  readonly width: number;
  private readonly stacks: boolean;

  constructor(config: NetworkModelConfig) {
    const kind = kindOf(config.network);
    const codec = isCodec(config) ? config : null;
    this.layer = codec?.splitLayer ?? kind.layers(config.network);
    this.shape = kind.cut(config.network, this.layer);
    this.pooling = codec?.quantizer.pooling ?? 1;
    this.stacks = codec?.quantizer.pooledBy === 'stacking';
    const { bands, channels } = this.shape;
    this.perStep = codec?.quantizer.vectors === 'position' ? bands : 1;
    this.width = ((bands * channels) / this.perStep) * (this.stacks ? this.pooling : 1);
  }

  /** Vectors of `steps` time steps. */
  vectors(steps: number): number {
    return pooledLength(steps, this.pooling) * this.perStep;
  }

  /** Steps [n, bands · channels] to vectors [vectors(n), width]. */
  toVectors(steps: Tensor): Tensor {
    const pool = this.stacks ? padFrames : poolFrames;
    const pooled = this.pooling === 1 ? steps : pool(steps, this.pooling);
    return reshape(pooled, [this.vectors(steps.shape[0]!), this.width]);
  }

  /** Vectors [vectors(n), width] to the n = `steps` steps that they stand for, [n, bands · channels]. */
  toSteps(vectors: Tensor, steps: number): Tensor {
    const { bands, channels } = this.shape;
    const width = bands * channels;
    const pooled = reshape(vectors, [(vectors.shape[0]! * this.width) / width, width]);
    if (this.stacks) return pooled.hi(steps);
    return this.pooling === 1 ? pooled : repeatFrames(pooled, this.pooling, steps);
  }
}
