import { join } from 'node:path';
import { createRandom } from '../../../tensor/index.js';
import { sayWords } from '../../data/voices.js';
import { train } from '../../run/index.js';
import { type StoredStatistics, statisticsOf } from '../features.js';
import type { Recipe, RecipeOptions } from '../index.js';
import { loadMaterial } from './material.js';
import { COMMANDS, FRONT_END } from './settings.js';
import { Utterances } from './utterances.js';
import type { CommandsOptions } from './workload.js';

const WORKLOAD = new URL('./workload.js', import.meta.url);
/** Variants of espeak-ng that the test sets of synthetic voices are said by. */
const TEST_VOICES = ['m7', 'f4', 'linda', 'belinda'];
const TAKES = 3;
const STATISTICS_UTTERANCES = 400;
const CONTINUOUS_STEPS = 5000;

const SHARES = { crowd: 0.5, digits: 0.25, voices: 0.25 } as const;

export async function optionsFor(
  data: string,
  voices: string | null,
): Promise<Omit<CommandsOptions, 'coding'>> {
  const material = await loadMaterial(data, voices);
  const utterances = new Utterances(material, SHARES);
  const random = createRandom(1);
  const said = Array.from({ length: STATISTICS_UTTERANCES }, () =>
    utterances.training(utterances.draw(random), random),
  );
  const statistics: StoredStatistics = statisticsOf(
    FRONT_END,
    said.map(({ samples }) => samples),
  );
  return { data, voices, statistics, batch: 16, batchesPerEpoch: 250, dropout: 0.1, shares: SHARES };
}

export const commandsRecipe: Recipe = {
  name: 'commands',
  summary: 'a recogniser of 20 spoken words, telephone band',
  async run({ data, out, seed, workers, resume, steps, signal, report }: RecipeOptions) {
    const voices = join(out, 'voices');
    await sayWords(voices, { words: COMMANDS, takes: TAKES, without: TEST_VOICES, seed: 1, signal });
    const base = await optionsFor(data, voices);
    const continuous = await train({
      workload: { module: WORKLOAD, options: { ...base, coding: null } satisfies CommandsOptions },
      out: join(out, 'continuous'),
      steps: steps ?? CONTINUOUS_STEPS,
      schedule: { kind: 'cosine', rate: 2e-3, warmup: 300 },
      optimizer: { decay: 0.02, beta2: 0.98 },
      averaging: 0.998,
      seed,
      ...(workers === undefined ? {} : { workers }),
      validateEvery: 500,
      checkpointEvery: 250,
      resume,
      signal,
      onProgress: report,
    });
    return { aborted: continuous.aborted, lines: [] };
  },
};
