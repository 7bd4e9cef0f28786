/** Arguments and options that several commands have. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError } from './commander.js';
import type { ExitCode } from './run.js';

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

export function layerNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return Number(text);
}

export function positive(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return Number(text);
}

/** "1s", "500ms", "2m" or a number of seconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d*\.?\d+)\s*(ms|s|m)?$/.exec(text) ?? [];
  const value = Number(amount) * { ms: 0.001, s: 1, m: 60 }[unit as 'ms' | 's' | 'm'];
  if (!(value > 0)) throw new InvalidArgumentError('It must be a duration, for example 1s, 500ms or 2m.');
  return value;
}

export const MODEL = [
  '-m, --model <file or URL>',
  'codec model (default: $ACOM_MODEL, or the one that ships)',
] as const;
export const JSON_OPTION = ['--json', 'one JSON object a line instead of text'] as const;
export const BEAM = [
  '-b, --beam <width>',
  'prefix-beam search of this width instead of the greedy path',
  wholeNumber,
] as const;
/** Threads are not free: each has the model and its memory. */
const MOST_JOBS = 256;

/** A number of files at a time; 0 or "auto" for as many as there are cores. */
export function jobs(text: string): number {
  if (text === 'auto' || /^0+$/.test(text)) return Math.min(MOST_JOBS, availableParallelism());
  if (/^\d+$/.test(text) && Number(text) <= MOST_JOBS) return Number(text);
  throw new InvalidArgumentError(
    `It must be a whole number up to ${MOST_JOBS}, or 0 or auto for as many as there are cores.`,
  );
}

export const JOBS = [
  '-j, --jobs <n>',
  'files at a time, into a folder: a number, or 0 or auto for as many as there are cores (default: 1)',
  jobs,
] as const;
export const FORCE = ['--force', 'do files again that an earlier run into the folder has done'] as const;
export const FILES = 'files, folders, patterns, or - for a pipe';

/** Wraps a command's work so that its exit code is that of the process. */
export type Running = <A extends unknown[]>(
  work: (...args: A) => Promise<ExitCode>,
) => (...args: A) => Promise<void>;
