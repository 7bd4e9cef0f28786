/** acom train: a model from its data, by a recipe. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../tensor/index.js';
import type { Recipe } from '../training/recipes/index.js';
import { fromPackage } from './model.js';
import { EXIT, type ExitCode, given, print } from './run.js';
import { pairs } from './text.js';
import { trainingReporter } from './train-progress.js';

export interface TrainArguments {
  readonly data?: string;
  readonly out?: string;
  readonly seed?: number;
  readonly workers?: number;
  readonly resume?: boolean;
  readonly steps?: number;
  readonly every?: number;
}

type Recipes = typeof import('../training/recipes/index.js');
type Training = typeof import('../training/run/index.js');

const isRecipe = (value: unknown): value is Recipe =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Recipe>).run === 'function';

async function findRecipe(wanted: string, known: readonly Recipe[]): Promise<Recipe> {
  const named = known.find(({ name }) => name === wanted);
  if (named) return named;
  if (existsSync(wanted)) {
    const { recipe } = (await import(pathToFileURL(resolve(wanted)).href)) as { readonly recipe?: unknown };
    if (isRecipe(recipe)) return recipe;
    throw new UsageError(`${wanted}: this module exports no \`recipe\` with a function \`run\``);
  }
  const names = known.map(({ name }) => name).join(', ');
  throw new UsageError(`there is no recipe ${wanted}${names === '' ? '' : `; there are ${names}`}`);
}

export async function train(name: string | undefined, options: TrainArguments): Promise<ExitCode> {
  const { recipes } = await fromPackage<Recipes>('training/recipes/index.js');
  if (name === undefined) {
    print(...pairs(recipes.map((recipe) => [recipe.name, recipe.summary])));
    return EXIT.done;
  }
  const recipe = await findRecipe(name, recipes);
  const { data, out, seed = 1, workers, steps, resume = false } = options;
  if (data === undefined || out === undefined) throw new UsageError('train: say --data and --out');
  const controller = new AbortController();
  // A second Ctrl-C ends the process at once.
  process.once('SIGINT', () => controller.abort());
  const reporter = trainingReporter(await fromPackage<Training>('training/run/index.js'), options.every);
  try {
    const { aborted, lines } = await recipe.run({
      data,
      out,
      seed,
      resume,
      ...given({ workers, steps }),
      signal: controller.signal,
      report: reporter.report,
    });
    reporter.stop();
    if (aborted) print(`stopped; go on with: acom train ${name} --data ${data} --out ${out} --resume`);
    print(...lines);
    return aborted ? EXIT.failed : EXIT.done;
  } finally {
    reporter.stop();
  }
}
