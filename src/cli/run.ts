/** What the commands share: exit codes, one-line errors, and going on with the next input after one failed. */
import { getSystemErrorMap } from 'node:util';
import { expandInputs, type Input, type Inputs, PIPE, shortPath } from './files.js';

export const EXIT = { done: 0, failed: 1, usage: 2, damaged: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Reasons of the system in plain words, where its own are not. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'this is a folder',
  EEXIST: 'a file stands where a folder is needed',
  ENOTDIR: 'a part of this path is no folder',
  ENAMETOOLONG: 'this name is too long',
  ENOSPC: 'the disk is full',
  EROFS: 'this place is read-only',
};

/** Whether an error is one of acom's, by its code: the command's bundle and the package's files have a class each. */
const hasCode = (error: unknown, beginning: string): boolean =>
  error instanceof Error && String((error as { code?: unknown }).code).startsWith(beginning);

export const isUsageError = (error: unknown): boolean => hasCode(error, 'ACOM_USAGE');

/** One line about an error: the reason and, where there is one, the remedy. */
export function explain(error: unknown): string {
  if (hasCode(error, 'ACOM_')) return (error as Error).message;
  const { code, errno, path, syscall, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined) {
    const reason = REASONS[code] ?? getSystemErrorMap().get(errno ?? 0)?.[1] ?? code;
    return path === undefined ? reason : `${shortPath(path)}: ${reason}`;
  }
  return `internal error: ${message ?? String(error)} (run again with --debug for where, and please report it)`;
}

/** Does work that is about one file, and has its errors name that file. */
export async function naming<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && hasCode(error, 'ACOM_')) {
      if (!error.message.startsWith(`${name}:`)) error.message = `${name}: ${error.message}`;
    } else if (error instanceof Error && 'syscall' in error) Object.assign(error, { path: name });
    throw error;
  }
}

let debug = false;
export const setDebug = (on: boolean): void => {
  debug = on;
};

/** Prints an error: one line, or with --debug all that is known. */
export function complain(error: unknown, about?: string): void {
  const line = explain(error);
  const prefix = about === undefined || line.startsWith(`${about}:`) ? '' : `${about}: `;
  process.stderr.write(`acom: ${prefix}${line}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

export const warn = (about: string, message: string): void => {
  process.stderr.write(`acom: ${about}: warning: ${message}\n`);
};

const linesOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

export const print = (...lines: readonly string[]): void => {
  process.stdout.write(linesOf(lines));
};

/** Prints what was done, and not into the pipe that carries what was made. */
export function report(outputs: readonly string[], ...lines: readonly string[]): void {
  (outputs.includes(PIPE) ? process.stderr : process.stdout).write(linesOf(lines));
}

/** `options` without those that were not given. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Has errors of standard output end the run: in silence where the reader stopped early, else with one line. */
export function watchStandardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    complain(error, 'standard output');
    process.exit(EXIT.failed);
  });
  // There is no place left to complain about this one.
  process.stderr.on('error', () => undefined);
}

type Prepare = (inputs: Inputs) => Promise<(input: Input, index: number) => Promise<ExitCode>>;

/** `eachInput` of the files that `names` stand for. */
export const forEachInput = async (
  names: readonly string[],
  extensions: readonly string[],
  prepare: Prepare,
): Promise<ExitCode> => eachInput(await expandInputs(names, extensions), prepare);

/**
 * Works through files one after another. One that fails or is not there is reported and the next one is tried; the exit
 * code is the worst of all. `prepare` does what is done once, before the first of them.
 */
export async function eachInput(inputs: Inputs, prepare: Prepare): Promise<ExitCode> {
  for (const { name, error } of inputs.problems) complain(error, shortPath(name));
  let worst: ExitCode = inputs.problems.length > 0 ? EXIT.failed : EXIT.done;
  if (inputs.files.length === 0) return worst;
  const work = await prepare(inputs);
  for (const [index, input] of inputs.files.entries()) {
    try {
      const code = await work(input, index);
      if (worst === EXIT.done) worst = code;
    } catch (error) {
      complain(error, shortPath(input.path));
      worst = isUsageError(error) ? EXIT.usage : EXIT.failed;
    }
  }
  return worst;
}
