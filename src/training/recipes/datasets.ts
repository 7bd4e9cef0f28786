/** Datasets that a recipe finds in its folder of data. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ClipProblem, type Dataset, readDataset } from '../data/index.js';
import type { RecipeOptions } from './recipe.js';

/** Those of `names` that are folders below `folder`, in that order. */
export async function findDatasets(folder: string, names: readonly string[]): Promise<Dataset[]> {
  const found: Dataset[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (existsSync(path)) found.push(await readDataset(path));
  }
  return found;
}

/** Names each recording that is left out because it is missing or damaged. */
export function reportSkipped(
  problems: readonly ClipProblem[],
  { report }: Pick<RecipeOptions, 'report'>,
): void {
  for (const { path, error } of problems) report({ kind: 'note', text: `skipped ${path}: ${error.message}` });
}
