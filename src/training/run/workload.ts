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

export interface Workload {
  readonly parameters: ReadonlyMap<string, ParameterSpec>;
  readonly buffers: ReadonlyMap<string, { readonly shape: readonly number[]; readonly initial: number }>;
  /** Items, by number, of each batch of an epoch. Depends on the arguments alone. */
  batches(epoch: number, seed: number): readonly (readonly number[])[];
  /** For messages: the files behind an item. */
  describe(item: number): string;
  /** The loss of some items of a batch, on the tape of `pass`. `pass.random` decides about augmentation and dropout. */
  loss(pass: Pass, items: readonly number[]): BatchLoss | Promise<BatchLoss>;
  /** After each step: new buffers from what the passes of all shards reported. */
  absorb?(
    state: TrainingState,
    reported: ReadonlyMap<string, Float64Array>,
    at: { readonly step: number; readonly random: () => number },
  ): void;
  /** Items of the validation set; they are shared out over the workers. */
  readonly validationItems: number;
  /** Sums over some validation items. */
  validate(pass: Pass, items: readonly number[]): Record<string, number> | Promise<Record<string, number>>;
  /** What the sums over all validation items come to. Larger `score` is better; the rest is logged. */
  score(
    sums: Readonly<Record<string, number>>,
  ): { readonly score: number } & Readonly<Record<string, number>>;
}

/** What a workload module exports: `options` went through JSON. */
export type CreateWorkload = (options: unknown) => Promise<Workload>;
