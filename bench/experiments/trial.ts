/** One choice, measured: codebooks by k-means, a short training where the choice has one, then whole streams. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Evaluation } from '../../src/evaluation/index.js';
import { poolEvaluations } from '../../src/evaluation/index.js';
import { evaluateSet, type TestSet } from '../../src/training/recipes/finish.js';
import { modelOf } from '../../src/training/recipes/part.js';
import { codebooksFrom } from '../../src/training/recipes/phases.js';
import type { RecipeOptions } from '../../src/training/recipes/recipe.js';
import { type Trained, type TrainingState, train } from '../../src/training/run/index.js';
import { type Choice, codingOf } from './choices.js';
import { kept, validated, workloadOf } from './probe.js';
import { pointOf, type Trial } from './results.js';
import { type Part, type Task, trainedOf } from './tasks.js';

/** Recordings that codewords are counted on: all of them would take longer than the training. */
const COUNTED = 600;

export interface TrialSettings {
  readonly task: Task;
  /** Folder of the runs of `npm run train:NAME`. */
  readonly runs: string;
  readonly options: RecipeOptions;
  /** Whether test recordings are to be coded too. */
  readonly tests?: boolean;
}

/** Numbers of a network with the quantiser of a choice, before any training of it. */
export async function startOf(part: Part, choice: Choice, continuous: Trained, seed: number) {
  const coding = codingOf(choice, part.stepWidth(choice.splitLayer));
  const workload = await workloadOf(part, coding);
  const initial = await codebooksFrom(workload, continuous, { seed, batches: part.phases.firstBatches });
  const pick = (names: Iterable<string>) => new Map([...names].map((name) => [name, initial.get(name)!]));
  const state: TrainingState = {
    parameters: pick(workload.parameters.keys()),
    buffers: pick(workload.buffers.keys()),
  };
  return { coding, workload, initial, state };
}

async function measurePart(part: Part, choice: Choice, settings: TrialSettings) {
  const { task, runs, options, tests = true } = settings;
  const { seed } = options;
  const continuous = await trainedOf(runs, task, part, 'continuous');
  const { coding, workload, initial, state } = await startOf(part, choice, continuous, seed);
  let trained: TrainingState = state;
  if (choice.losses !== 'k-means') {
    const out = join(runs, 'trials', `${task.name}-${part.folder || 'all'}-${process.pid}`);
    rmSync(out, { recursive: true, force: true });
    const batches = workload.batches(0, seed).length;
    const steps = choice.epochs * batches;
    const { coded, optimizer, module, options: own } = part.phases;
    const result = await train({
      ...coded,
      workload: { module, options: { ...own, coding } },
      out,
      steps,
      schedule: { kind: 'cosine', rate: choice.rate, warmup: Math.min(50, steps) },
      validateEvery: steps,
      checkpointEvery: steps,
      optimizer,
      seed,
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      initial,
      signal: options.signal,
      onProgress: options.report,
    });
    rmSync(out, { recursive: true, force: true });
    if (result.aborted) return null;
    trained = result;
  }
  const validation = await validated(workload, kept(trained));
  const model = await modelOf(part, coding, trained, COUNTED);
  const sets = [part.validation, ...(tests ? part.tests.map(({ set }) => set) : [])];
  // The fold that is held out is both.
  const known = new Map<TestSet, Evaluation>();
  for (const set of new Set(sets)) known.set(set, await evaluateSet(model, set));
  const evaluations = sets.map((set) => known.get(set)!);
  return { validation, evaluations };
}

/** A choice over all parts that something is held out of; null where the signal ended it. */
export async function measure(
  parts: readonly Part[],
  choice: Choice,
  settings: TrialSettings,
): Promise<Trial | null> {
  const begun = performance.now();
  const measured: NonNullable<Awaited<ReturnType<typeof measurePart>>>[] = [];
  for (const part of parts) {
    const one = await measurePart(part, choice, settings);
    if (one === null) return null;
    measured.push(one);
  }
  const names = ['validation', ...(parts[0]?.tests.map(({ set }) => set.name) ?? [])];
  const sets = Object.fromEntries(
    measured[0]!.evaluations.map((_, n) => [
      names[n]!,
      pointOf(poolEvaluations(measured.map(({ evaluations }) => evaluations[n]!))),
    ]),
  );
  const losses = Array.from({ length: choice.codebooks + 1 }, (_, k) =>
    measured.reduce((sum, { validation }) => sum + validation[`loss${k}`]! / measured.length, 0),
  );
  return { choice, seconds: Math.round((performance.now() - begun) / 1000), losses, sets };
}
