/** The three tasks as experiments see them: their parts, where each can be cut, and what a trial of each is. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../src/tensor/index.js';
import type { CodingOptions } from '../../src/training/recipes/coding.js';
import { commandsParts } from '../../src/training/recipes/commands/recipe.js';
import { esc10Parts } from '../../src/training/recipes/esc10/recipe.js';
import { keywordsParts } from '../../src/training/recipes/keywords/recipe.js';
import type { CodecPart } from '../../src/training/recipes/part.js';
import type { RecipeOptions } from '../../src/training/recipes/recipe.js';
import { readTrained, type Trained } from '../../src/training/run/index.js';

/** What every workload of a recipe is told besides what is its own. */
export interface Coded {
  readonly coding: CodingOptions | null;
}

export type Part = CodecPart<Coded>;

export const TASK_NAMES = ['commands', 'esc10', 'keywords'] as const;
export type TaskName = (typeof TASK_NAMES)[number];

/** Where a network can be cut, and the pooling that gives every cut about as many vectors a second. */
interface Cut {
  readonly splitLayer: number;
  readonly pooling: number;
  /** Codebooks of the fixed budget. */
  readonly codebooks: number;
}

export interface Task {
  readonly name: TaskName;
  readonly metric: 'word error rate' | 'accuracy';
  readonly parts: (options: RecipeOptions) => Promise<readonly Part[]>;
  /** Of the sensitivity of layers: about the same bits for a recording at each. */
  readonly cuts: readonly Cut[];
  /** Steps to a vector that rates are measured at, at the shipped model's cut. */
  readonly poolings: readonly number[];
  /** Largest rate of learning, and epochs, of the short training of a trial. */
  readonly trial: { readonly rate: number; readonly epochs: number };
}

const even = (layers: number, pooling: number, codebooks: number): Cut[] =>
  Array.from({ length: layers + 1 }, (_, splitLayer) => ({ splitLayer, pooling, codebooks }));

export const TASKS: Readonly<Record<TaskName, Task>> = {
  commands: {
    name: 'commands',
    metric: 'word error rate',
    parts: commandsParts,
    cuts: even(4, 8, 2),
    poolings: [2, 4, 8, 16],
    trial: { rate: 6e-4, epochs: 2 },
  },
  esc10: {
    name: 'esc10',
    metric: 'accuracy',
    parts: esc10Parts,
    // 200 frames, halved by each of five blocks: 12 or 13 vectors, then 6 of twice as many codebooks.
    cuts: [
      ...[16, 8, 4, 2, 1].map((pooling, splitLayer) => ({ splitLayer, pooling, codebooks: 2 })),
      ...[5, 6].map((splitLayer) => ({ splitLayer, pooling: 1, codebooks: 4 })),
    ],
    poolings: [1, 2, 4],
    trial: { rate: 6e-4, epochs: 3 },
  },
  keywords: {
    name: 'keywords',
    metric: 'accuracy',
    parts: keywordsParts,
    cuts: even(3, 8, 2),
    poolings: [4, 8, 16],
    trial: { rate: 6e-4, epochs: 5 },
  },
};

export function taskOf(name: string | undefined): Task {
  const known = TASK_NAMES.find((each) => each === name);
  if (known) return TASKS[known];
  throw new UsageError(`experiments: there is no task ${name ?? ''}; there are ${TASK_NAMES.join(', ')}`);
}

/** Where a run of `npm run train:NAME` has the network of a part, before and after its quantiser's phase. */
export async function trainedOf(
  runs: string,
  task: Task,
  part: Part,
  phase: 'continuous' | 'coded',
): Promise<Trained> {
  const file = join(runs, task.name, part.folder, phase, 'last.safetensors');
  if (existsSync(file)) return readTrained(file);
  throw new UsageError(
    `experiments: there is no ${file}: train the network first (npm run train:${task.name}), or say --runs`,
  );
}

/** Parts that something was held out of. */
export async function testedParts(task: Task, options: RecipeOptions): Promise<readonly Part[]> {
  return (await task.parts(options)).filter(({ tests }) => tests.length > 0);
}
