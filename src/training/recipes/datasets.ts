/** Datasets that a recipe finds in its folder of data. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Dataset, readDataset } from '../data/index.js';

/** Those of `names` that are folders below `folder`, in that order. */
export async function findDatasets(folder: string, names: readonly string[]): Promise<Dataset[]> {
  const found: Dataset[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (existsSync(path)) found.push(await readDataset(path));
  }
  return found;
}
