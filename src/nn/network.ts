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
import type { EncoderMemory } from './chunk-memory.js';

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

/**
 * Layers that run while a recording goes on, chunk by chunk; M is what they remember of one stream. `forward` of a whole
 * recording gives the same but for the last bit.
 */
export interface Chunked<M> {
  /** Time steps of a chunk; only the last one of a stream may have fewer. */
  readonly steps: number;
  /** Time steps before a chunk that its results depend on, a multiple of `steps`. */
  readonly reach: number;
  /** The memory of a stream that has not begun. */
  memory(): M;
  /**
   * The next chunk of each of several streams, x [streams, n, width]; gives [streams, steps, width]. The results of a stream
   * do not depend on what others run with it, to the last bit where `steps` is a multiple of 4.
   */
  forward(x: Tensor, memories: readonly M[]): Tensor;
}

/** Layers of the device, whose chunks begin as feature frames. */
export interface ChunkedPrefix<M> {
  /** Time steps of a chunk, and feature frames from one step to the next. */
  readonly steps: number;
  readonly stride: number;
  /** Time steps before a chunk that its feature frames reach back to: they are given with its own, where there are any. */
  readonly context: number;
  memory(): M;
  /**
   * The next chunk of each of several streams, x [streams, stride · (context + steps), features], less at the end of a
   * recording; `context` is 0 for the first chunk. Gives [streams, steps, width].
   */
  forward(x: Tensor, context: number, memories: readonly M[]): Tensor;
}

/** The device's layers. */
export interface Prefix {
  forward(features: Tensor): Tensor;
  /** Left out where the layers want a whole recording. */
  readonly chunks?: ChunkedPrefix<EncoderMemory>;
}

/** The cloud's layers and the head. */
export interface Suffix {
  forward(steps: Tensor): Tensor;
  /** Left out where the layers want a whole recording. */
  readonly chunks?: Chunked<EncoderMemory>;
  /**
   * The same in two parts, where the second is no kernel's work: a GPU then runs the first, and the second gets what is
   * read back. Left out where all of it can run there.
   */
  readonly parts?: { body(steps: Tensor): Tensor; head(features: Tensor): Tensor };
}
