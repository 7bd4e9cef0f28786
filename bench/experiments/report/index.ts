/** ../README.md: tables and figures from the results. Words that need no number are in prose.ts. */
import type { Provenance } from '../results.js';
import { criterion, depth } from './analyses.js';
import { coders, robustness } from './comparisons.js';
import { PROSE } from './prose.js';
import { search } from './search.js';
import { layers, losses, rates } from './sweeps.js';

/** Where a section's numbers come from. */
function sources(from: readonly Provenance[]): string[] {
  const lines = from.map(
    ({ command, seed, commit, date, machine }) =>
      `\`${command}\` (seed ${seed}, commit ${commit}, ${date}; ${machine.processor}, ${machine.cores} cores, Node ${machine.node})`,
  );
  return [
    '<details><summary>Made by</summary>',
    '',
    ...lines.map((line) => `- ${line}`),
    '',
    '</details>',
    '',
  ];
}

const SECTIONS = { layers, rates, losses, criterion, depth, coders, robustness, search } as const;

/** The report, and its figures by name. */
export async function makeReport(): Promise<{
  readonly text: string;
  readonly figures: ReadonlyMap<string, string>;
}> {
  const text: string[] = [...PROSE.head, ''];
  const figures = new Map<string, string>();
  for (const [name, make] of Object.entries(SECTIONS)) {
    const section = await make();
    if (section === null) continue;
    const { title, body, figure, from } = section;
    text.push(`## ${title}`, '');
    if (figure !== undefined) {
      figures.set(figure.name, figure.svg);
      text.push(`![${figure.alt}](figures/${figure.name}.svg)`, '');
    }
    text.push(...PROSE.sections[name as keyof typeof SECTIONS], '', ...body, ...sources(from));
  }
  return { text: `${text.join('\n').trimEnd()}\n`, figures };
}
