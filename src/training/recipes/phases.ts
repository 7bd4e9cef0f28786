/**
 * A codec in two phases: the continuous network first, then the same with a quantiser between its halves, whose codebooks
 * begin with k-means on what that network sends.
 */
import { join } from 'node:path';
import { constant, type Variable } from '../../autograd/index.js';
import { createRandom, flat, keep, ModelError, scope, type Tensor, view, zeros } from '../../tensor/index.js';
import type { CodedNetwork } from '../networks/coded-network.js';
import type { PackedSteps, Pass } from '../networks/network.js';
import { type TrainOptions, type TrainResult, train } from '../run/index.js';
import { nameSeed } from '../run/seeds.js';
import type { TrainingState, Workload } from '../run/workload.js';
import type { CodingOptions } from './coding.js';
import type { RecipeOptions } from './recipe.js';

/** A workload with a coded network in it. */
export interface CodedWorkload<B extends { readonly features: PackedSteps }> extends Workload<B> {
  readonly coded: CodedNetwork;
  /** The task's own loss of what the network made of a batch, summed over recordings. */
  taskLoss(logits: PackedSteps, batch: B): Variable;
  /** The batch with targets drawn from what the network itself takes for likely. */
  sampled(logits: PackedSteps, batch: B, random: () => number): B;
}

/** What a phase has of its own. */
export type PhaseSettings = Pick<
  TrainOptions,
  'schedule' | 'averaging' | 'validateEvery' | 'checkpointEvery'
> & {
  readonly steps: number;
};

export interface Phases<O extends { readonly coding: CodingOptions | null }> {
  /** The module of the workload. */
  readonly module: URL;
  readonly options: Omit<O, 'coding'>;
  readonly coding: CodingOptions;
  readonly optimizer: NonNullable<TrainOptions['optimizer']>;
  readonly continuous: PhaseSettings;
  /** What the continuous network begins with; left out: random numbers. */
  readonly initial?: ReadonlyMap<string, Tensor>;
  readonly coded: PhaseSettings;
  /** Batches whose vectors codebooks begin with. */
  readonly firstBatches: number;
}

export interface TrainedPhases {
  readonly continuous: TrainResult;
  /** Null where the run was ended before. */
  readonly coded: TrainResult | null;
}

export async function trainPhases<O extends { readonly coding: CodingOptions | null }>(
  phases: Phases<O>,
  { seed, workers, resume, steps, signal, report }: RecipeOptions,
  out: string,
): Promise<TrainedPhases> {
  const { module, options, coding, optimizer, firstBatches, initial } = phases;
  const run = (
    name: string,
    settings: PhaseSettings,
    more: Partial<TrainOptions>,
    own: CodingOptions | null,
  ) =>
    train({
      ...settings,
      workload: { module, options: { ...options, coding: own } },
      out: join(out, name),
      steps: steps ?? settings.steps,
      optimizer,
      seed,
      ...(workers === undefined ? {} : { workers }),
      resume,
      signal,
      onProgress: report,
      ...more,
    });
  const continuous = await run(
    'continuous',
    phases.continuous,
    initial === undefined ? {} : { initial },
    null,
  );
  if (continuous.aborted) return { continuous, coded: null };
  const { createWorkload } = (await import(module.href)) as {
    createWorkload(options: unknown): Promise<CodedWorkload<{ readonly features: PackedSteps }>>;
  };
  const workload = await createWorkload({ ...options, coding });
  const started = await codebooksFrom(workload, continuous, { seed, batches: firstBatches });
  const coded = await run('coded', phases.coded, { initial: started }, coding);
  return { continuous, coded };
}

/** What a run trained. */
type Numbers = Pick<TrainResult, 'parameters' | 'buffers'>;

/** All numbers of a coded network: those of the continuous one, and codebooks by k-means++ on its vectors. */
export async function codebooksFrom<B extends { readonly features: PackedSteps }>(
  workload: CodedWorkload<B>,
  continuous: Numbers,
  { seed, batches }: { readonly seed: number; readonly batches: number },
): Promise<ReadonlyMap<string, Tensor>> {
  const state = stateOf(workload, continuous, seed);
  const random = createRandom(nameSeed(seed, 'codebooks'));
  const pass: Pass = {
    training: false,
    random,
    parameter: (name) => constant(find(state.parameters, name)),
    buffer: (name) => find(state.buffers, name),
    report: () => undefined,
  };
  const found: Tensor[] = [];
  for (const items of workload.batches(0, seed).slice(0, batches)) {
    const { features } = await workload.prepare(items, 'training', random);
    found.push(scope(() => workload.coded.vectors(pass, features)));
  }
  const width = found[0]?.shape[1] ?? 0;
  const vectors = zeros([found.reduce((sum, { shape }) => sum + shape[0]!, 0), width]);
  let at = 0;
  for (const each of found) {
    vectors.data.set(flat(each), at);
    at += flat(each).length;
  }
  workload.coded.coding?.quantizer.start(state, vectors, seed);
  return new Map([...state.parameters, ...state.buffers]);
}

/** The numbers of the continuous network, and fresh ones for what it does not have. */
function stateOf(workload: Workload, { parameters, buffers }: Numbers, seed: number): TrainingState {
  const copy = (tensor: Tensor): Tensor => keep(tensor);
  return {
    parameters: new Map(
      [...workload.parameters].map(([name, { shape, initialise }]) => {
        const known = parameters.get(name);
        if (known) return [name, copy(known)];
        const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
        initialise(values, createRandom(nameSeed(seed, name)));
        return [name, copy(view(values, shape))];
      }),
    ),
    buffers: new Map(
      [...workload.buffers].map(([name, { shape, initial }]) => {
        const known = buffers.get(name);
        if (known) return [name, copy(known)];
        const fresh = zeros(shape);
        fresh.data.fill(initial);
        return [name, copy(fresh)];
      }),
    ),
  };
}

function find(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new ModelError(`recipe: the network has no ${name}`);
}
