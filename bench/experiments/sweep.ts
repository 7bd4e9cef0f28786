/** A list of choices, each measured, each written down when it is. */
import { type Choice, describe } from './choices.js';
import { type Output, provenanceOf, readResults, type Trial, writeResults } from './results.js';
import type { Part } from './tasks.js';
import { measure, type TrialSettings } from './trial.js';

export interface Sweep extends Output {
  readonly name: string;
  readonly choices: readonly Choice[];
}

/** Sweeps over choices, some of which are in several. */
const SWEEPS = ['layers', 'rates', 'losses'];

const key = (choice: Choice): string => JSON.stringify(choice);

/** What a trial came to on its validation recordings, in a line. */
function lineOf({ choice, seconds, losses, sets }: Trial): string {
  const { continuous, points } = sets['validation']!;
  const scores = points.map(({ count }) => count).join(' / ');
  const loss = losses.map((value) => value.toFixed(3)).join(' / ');
  return `${describe(choice)}: validation ${continuous.count} continuous, ${scores} of ${continuous.total}; loss ${loss}; ${seconds} s`;
}

/** Measures what neither this sweep nor another has yet; false where the signal ended it. */
export async function sweep(
  parts: readonly Part[],
  { name, choices, out, command, say }: Sweep,
  settings: TrialSettings,
): Promise<boolean> {
  const { task, options } = settings;
  const before = readResults<Trial>(out, name, task.name);
  const rows = [...(before?.rows ?? [])];
  const provenance = provenanceOf(name, task.name, options.seed, command);
  const known = new Set(rows.map(({ choice }) => key(choice)));
  const elsewhere = new Map(
    SWEEPS.flatMap((other) => readResults<Trial>(out, other, task.name)?.rows ?? []).map((row) => [
      key(row.choice),
      row,
    ]),
  );
  for (const [n, choice] of choices.entries()) {
    if (known.has(key(choice))) continue;
    const trial = elsewhere.get(key(choice)) ?? (await measure(parts, choice, settings));
    if (trial === null) return false;
    rows.push(trial);
    known.add(key(choice));
    await writeResults(out, { ...provenance, rows });
    say(`${n + 1} of ${choices.length}  ${lineOf(trial)}`);
  }
  return true;
}
