/** What a trainer trains. The same one is made in the coordinating thread and in every worker. */
import type { Variable } from '../../autograd/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { ParameterSpec, Pass } from '../networks/network.js';

/** All numbers of a run: what gradients move, and what does not follow gradients. */
export interface TrainingState {
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly buffers: ReadonlyMap<string, Tensor>;
}

export interface BatchLoss {
  /** Sum over the items, one number. The trainer divides by the items of the whole batch. */
  readonly loss: Variable;
  /** Sums over the items, to be logged as means: parts of the loss, bits a second. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** B is what a pass works on: features and targets of some items. */
export interface Workload<B = unknown> {
  readonly parameters: ReadonlyMap<string, ParameterSpec>;
  readonly buffers: ReadonlyMap<string, { readonly shape: readonly number[]; readonly initial: number }>;
  /** Items, by number, of each batch of an epoch. Depends on the arguments alone. */
  batches(epoch: number, seed: number): readonly (readonly number[])[];
  /** For messages: the files behind an item. */
  describe(item: number): string;
  /**
   * Reads some items, of the training or the validation set; `random` decides about augmentation, and is the same for the
   * same seed, step and items.
   */
  prepare(items: readonly number[], set: 'training' | 'validation', random: () => number): Promise<B>;
  /** The loss of some items of a batch, on the tape of `pass`. Runs inside a scope: see ../../tensor/scope.ts. */
  loss(pass: Pass, batch: B): BatchLoss;
  /** After each step: new buffers from what the passes of all shards reported. */
  absorb?(
    state: TrainingState,
    reported: ReadonlyMap<string, Float64Array>,
    at: { readonly step: number; readonly random: () => number },
  ): void;
  /** Items of the validation set; they are shared out over the workers. */
  readonly validationItems: number;
  /** Sums over some validation items. */
  validate(pass: Pass, batch: B): Record<string, number>;
  /** What the sums over all validation items come to. Larger `score` is better; the rest is logged. */
  score(
    sums: Readonly<Record<string, number>>,
  ): { readonly score: number } & Readonly<Record<string, number>>;
}

/** What a workload module exports: `options` went through JSON. */
export type CreateWorkload = (options: unknown) => Promise<Workload>;
