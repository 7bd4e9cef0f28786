/** What is streamed: speakers whom training never heard, in utterances of one to four words, and all of them in a row. */
import { loadMaterial } from '../../src/training/recipes/commands/material.js';
import { COMMANDS } from '../../src/training/recipes/commands/settings.js';
import { Utterances } from '../../src/training/recipes/commands/utterances.js';

export interface Said {
  readonly samples: Float32Array;
  readonly words: readonly string[];
}

/** The unseen speakers of the test set at 8 kHz; the utterances are those that the recipe tests on. */
export async function unseenSpeakers(data: string): Promise<Said[]> {
  const material = await loadMaterial(data, null);
  const utterances = new Utterances(material, { crowd: 0.5, digits: 0.5, voices: 0 });
  return utterances.test(material.test.unseen, 2).map(({ samples, labels }) => ({
    samples,
    words: labels.map((label) => COMMANDS[label - 1]!),
  }));
}
