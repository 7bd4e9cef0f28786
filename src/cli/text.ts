/** How the command line writes numbers, words and tables. */
import type { StreamRates, Transcript, Verdict } from '../codec/index.js';

export const seconds = (s: number): string => `${s.toFixed(s < 100 ? 2 : 0)} s`;
export const bitRate = (rate: number): string => `${rate.toFixed(0)} bit/s`;
export const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;

/** 1536 as "1,536". */
export const count = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 0 });

/** A number of multiply-adds as "950", "12,345", "1.2 million" or "3.4 billion". */
export function large(n: number): string {
  if (n < 1e5) return count(n);
  const [unit, name] = n < 1e9 ? [1e6, 'million'] : [1e9, 'billion'];
  return `${(n / unit).toFixed(n / unit < 10 ? 2 : n / unit < 1000 ? 1 : 0)} ${name}`;
}

/** One line about a stream: what it holds and what it costs. */
export function ratesLine(rates: StreamRates): string {
  const { bytes, codebooks, rawBitRate, entropyBitRate, codedBitRate } = rates;
  const books = codebooks === 1 ? '1 codebook' : `${codebooks} codebooks`;
  return (
    `${seconds(rates.seconds)}, ${count(bytes)} bytes, ${bitRate(codedBitRate)} in all ` +
    `(${books}: raw ${rawBitRate.toFixed(0)}, entropy ${entropyBitRate.toFixed(0)})`
  );
}

/** Words with times and confidences, one a line. */
export function wordLines(words: Transcript['words']): string[] {
  return words.map(({ word, start, end, confidence }) => {
    const times = `${start.toFixed(2).padStart(8)} – ${end.toFixed(2)} s`.padEnd(22);
    return `${times}${word.padEnd(10)} ${confidence.toFixed(2)}`;
  });
}

/** Classes that are shown of a verdict. */
const SHOWN = 3;

/** A verdict for people: the likeliest classes, and each clip where there are several. */
export function verdictLines({ classes, clips }: Verdict): string[] {
  const likeliest = classes
    .slice(0, SHOWN)
    .map(({ label, probability }) => `${label} ${probability.toFixed(2)}`)
    .join(', ');
  const each = clips.map(({ start, end, label, confidence }) => {
    const times = `${start.toFixed(2).padStart(8)} – ${end.toFixed(2)} s`.padEnd(22);
    return `${times}${label.padEnd(16)} ${confidence.toFixed(2)}`;
  });
  return clips.length === 0 ? [] : [`  ${likeliest}`, ...(clips.length > 1 ? each : [])];
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A table whose columns are as wide as they must be. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ title }, c) => Math.max(title.length, ...rows.map((row) => row[c]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (columns[c]!.align === 'left' ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}

/** Names and values, one pair a line. */
export const pairs = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
};

/** What is known of a file: the same facts as JSON and as lines. */
export interface Facts {
  readonly json: Record<string, unknown>;
  readonly lines: readonly string[];
}
