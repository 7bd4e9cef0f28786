/** What a recipe is: a model from data to weights. */
import type { TrainingProgress } from '../run/index.js';

/** What a recipe has to say beside the progress of its runs: what it reads, what it skipped, which fold it trains. */
export interface RecipeNote {
  readonly kind: 'note';
  readonly text: string;
}

export interface RecipeOptions {
  /** Folder of the data. */
  readonly data: string;
  /** Folder of the run and of what it makes. */
  readonly out: string;
  readonly seed: number;
  /** Worker threads; as many as cores where this is left out. */
  readonly workers?: number;
  /** Goes on from the last checkpoint in `out` where there is one. */
  readonly resume: boolean;
  /** Steps in place of the recipe's own number, to try it out. */
  readonly steps?: number;
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal: AbortSignal;
  readonly report: (progress: TrainingProgress | RecipeNote) => void;
}

export interface RecipeResult {
  /** Whether the signal ended it. */
  readonly aborted: boolean;
  /** What came out, for a person: scores, files. */
  readonly lines: readonly string[];
}

export interface Recipe {
  readonly name: string;
  /** One line for the list of recipes. */
  readonly summary: string;
  run(options: RecipeOptions): Promise<RecipeResult>;
}
