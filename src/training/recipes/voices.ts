/** The synthetic voices of a recipe. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { synthesizeVoices } from '../data/index.js';
import { COMMANDS } from './commands/settings.js';
import type { RecipeOptions } from './recipe.js';

/** A dataset in the folder of the data that is taken in place of what the synthesisers would say. */
const GIVEN = 'synthetic-voices';

/** Folder of the commands as synthetic voices say them, each `takes` times; spoken when it is first asked for. */
export async function voicesFolder(
  { data, out, signal, report }: RecipeOptions,
  takes: number,
): Promise<string> {
  const given = join(data, GIVEN);
  if (existsSync(given)) return given;
  report({ kind: 'note', text: 'synthetic voices say the words' });
  const { folder } = await synthesizeVoices({ words: COMMANDS, takes, cache: out, signal });
  return folder;
}
