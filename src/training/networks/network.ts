/**
 * Networks as training sees them. Recordings of a batch lie one after another along the first axis, without padding:
 * linear maps, norms and activations then need not know where one ends, and no work is done on what nobody sent.
 */
import type { Variable } from '../../autograd/index.js';
import type { Tensor } from '../../tensor/index.js';

/** Time steps of several recordings: x [Σ lengths, ...], the first `lengths[0]` rows are the first recording's. */
export interface PackedSteps {
  readonly x: Variable;
  readonly lengths: readonly number[];
}

/** One walk through a network: where its numbers come from, and whether it learns. */
export interface Pass {
  /** A trained number block, by the name that it has in model files. Throws ModelError where there is none. */
  parameter(name: string): Variable;
  /** Numbers that no gradient reaches: running statistics, codebooks that follow averages. */
  buffer(name: string): Tensor;
  /** Whether dropout drops, batch norm uses the batch's statistics, and buffers are to be updated. */
  readonly training: boolean;
  /** Uniform in [0, 1); the same sequence for the same seed, step and items. */
  readonly random: () => number;
  /**
   * Reports numbers of this pass, which are summed over the shards of a batch and handed to `Workload.absorb`:
   * batch statistics, how often codewords were used. Copies them.
   */
  report(name: string, values: ArrayLike<number>): void;
}

/** What a network needs to begin: its shape, and numbers drawn for it. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  /** Draws or sets all numbers of a fresh block. */
  readonly initialise: (values: Float32Array, random: () => number) => void;
  /** Whether weight decay applies: matrices yes, biases and norms no. */
  readonly decay: boolean;
}

/** A network that can be trained, in the two halves of a codec; names are those of model files. */
export interface TrainableNetwork {
  readonly parameters: ReadonlyMap<string, ParameterSpec>;
  /** Running statistics and the like. */
  readonly buffers: ReadonlyMap<string, { readonly shape: readonly number[]; readonly initial: number }>;
  /** Features [Σ frames, features] to the steps that go over the cut, [Σ steps, bands · channels]. */
  prefix(pass: Pass, features: PackedSteps): PackedSteps;
  /** Steps to logits (before log-softmax): [Σ steps, classes] of a recogniser, [recordings, classes] of a classifier. */
  suffix(pass: Pass, steps: PackedSteps): PackedSteps;
  /** New numbers of the buffers from what passes reported, summed over shards. */
  absorb?(buffers: ReadonlyMap<string, Tensor>, reported: ReadonlyMap<string, Float64Array>): void;
}
