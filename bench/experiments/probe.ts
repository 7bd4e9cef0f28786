/** Passes through a network that nothing learns from: on validation recordings, with numbers that a run trained. */
import { constant } from '../../src/autograd/index.js';
import { createRandom, keep, scope, type Tensor, zeros } from '../../src/tensor/index.js';
import type { PackedSteps, Pass } from '../../src/training/networks/network.js';
import type { CodedWorkload } from '../../src/training/recipes/phases.js';
import type { TrainingState } from '../../src/training/run/index.js';
import type { Coded, Part } from './tasks.js';

/** What a pass works on, as far as experiments know it. */
export interface Batch {
  readonly features: PackedSteps;
}

export type Probed = CodedWorkload<Batch>;

/** Recordings of one pass. */
const BATCH = 32;

export async function workloadOf({ phases }: Part, coding: Coded['coding']): Promise<Probed> {
  const { createWorkload } = (await import(phases.module.href)) as {
    createWorkload(options: unknown): Promise<Probed>;
  };
  return createWorkload({ ...phases.options, coding });
}

/** A pass that takes numbers as they are. */
export function passOf({ parameters, buffers }: TrainingState): Pass {
  const find = (tensors: ReadonlyMap<string, Tensor>, name: string): Tensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`there is no ${name}`);
    return tensor;
  };
  return {
    training: false,
    random: createRandom(1),
    parameter: (name) => constant(find(parameters, name)),
    buffer: (name) => find(buffers, name),
    report: () => undefined,
  };
}

/** Numbers in the kernels' memory, where every pass finds them. */
export const kept = ({ parameters, buffers }: TrainingState): TrainingState => ({
  parameters: new Map([...parameters].map(([name, tensor]) => [name, keep(tensor)])),
  buffers: new Map([...buffers].map(([name, tensor]) => [name, keep(tensor)])),
});

/** All validation recordings, in batches. */
export async function validationBatches(workload: Probed): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (let from = 0; from < workload.validationItems; from += BATCH) {
    const items = Array.from(
      { length: Math.min(BATCH, workload.validationItems - from) },
      (_, i) => from + i,
    );
    batches.push(await workload.prepare(items, 'validation', createRandom(1)));
  }
  return batches;
}

/** Runs `work` in a scope; what it gives is copied out of the kernels' memory by itself. */
export function outOf<R>(work: () => R): R {
  let result: { readonly is: R } | undefined;
  // A scope gives a tensor.
  scope(() => {
    result = { is: work() };
    return NOTHING;
  });
  return (result as { readonly is: R }).is;
}
const NOTHING = zeros([0]);

/** What the workload's validation says of these numbers: scores, losses and bits by codebooks. */
export async function validated(workload: Probed, state: TrainingState): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  const pass = passOf(state);
  for (const batch of await validationBatches(workload)) {
    for (const [name, value] of Object.entries(outOf(() => workload.validate(pass, batch)))) {
      sums[name] = (sums[name] ?? 0) + value;
    }
  }
  return workload.score(sums);
}
