/**
 * What a codec must know of a network before it has weights: where it can be cut, and what comes out there. Each kind
 * of network describes itself so, in a file without layers; the layers are in a prefix (the device's half) and a
 * suffix (the cloud's).
 *
 *   prefix  features [batch, frames, features] -> [batch, steps, bands · channels], index = band · channels + channel
 *   suffix  [batch, steps, bands · channels]   -> log-probabilities, [batch, steps, classes] of a recogniser,
 *                                                 [batch, classes] of a classifier
 */
import type { Tensor } from '../tensor/index.js';

/** What one time step is at a cut: a column of frequency bands with some channels each; frames of a conformer have one band. */
export interface CutShape {
  readonly bands: number;
  readonly channels: number;
}

/** Multiply-accumulates of both halves. */
export interface HalfMacs {
  readonly device: number;
  readonly cloud: number;
}

export type Half = 'device' | 'cloud';

/** A kind of network; C is its configuration. Layer 0 stands for what enters the first layer. */
export interface NetworkKind<C> {
  /** Throws ModelError where a configuration could not be a network; it bounds every size. */
  check(config: C): void;
  /** What it does: a label for stretches of a recording, or one for a whole clip. */
  readonly task: 'recognition' | 'classification';
  /** In a few words, for people. */
  describe(config: C): string;
  /** Features of a frame that it takes. */
  features(config: C): number;
  /** Layers after which it can be cut: 0 .. layers. */
  layers(config: C): number;
  /** What goes over the cut after `layer`. */
  cut(config: C, layer: number): CutShape;
  /** Time steps after `layer` of `frames` feature frames. */
  steps(config: C, layer: number, frames: number): number;
  /** Fewest feature frames that it can take. */
  leastFrames(config: C): number;
  /** Most feature frames that it can take; Infinity where any number will do. */
  mostFrames(config: C): number;
  /** The half that needs tensor `name` when it is cut after `layer`; null for a tensor that is none of this network's. */
  halfOf(config: C, layer: number, name: string): Half | null;
  /** Multiplications of matrix products and convolutions for `frames` feature frames, cut after `layer`. */
  macs(config: C, layer: number, frames: number): HalfMacs;
}

/** Where layers are made: as they are, or for kernels that are not those of this moment. */
export type Within = <T>(make: () => T) => T;

/** The device's layers. */
export interface Prefix {
  forward(features: Tensor): Tensor;
}

/** The cloud's layers and the head. */
export interface Suffix {
  forward(steps: Tensor): Tensor;
  /**
   * The same in two parts, where the second is no kernel's work: a GPU then runs the first, and the second gets what is
   * read back. Left out where all of it can run there.
   */
  readonly parts?: { body(steps: Tensor): Tensor; head(features: Tensor): Tensor };
}
