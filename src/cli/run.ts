/** What the commands share: exit codes, one-line errors, and going on with the next input after one failed. */
import { AcomError, UsageError } from '../tensor/index.js';

export const EXIT = { done: 0, failed: 1, usage: 2, damaged: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a part of this path is no folder',
  ENOSPC: 'the disk is full',
  EROFS: 'this place is read-only',
};

/** One line about an error: the reason and, where there is one, the remedy. */
export function explain(error: unknown): string {
  if (error instanceof AcomError) return error.message;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && REASONS[code] !== undefined) return `${path ?? 'the file'}: ${REASONS[code]}`;
  return `internal error: ${message ?? String(error)} (run again with --debug for where, and please report it)`;
}

let debug = false;
export const setDebug = (on: boolean): void => {
  debug = on;
};

/** Prints an error: one line, or with --debug all that is known. */
export function complain(error: unknown, about?: string): void {
  const line = explain(error);
  const prefix = about === undefined || line.startsWith(about) ? '' : `${about}: `;
  process.stderr.write(`acom: ${prefix}${line}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

export const warn = (about: string, message: string): void => {
  process.stderr.write(`acom: ${about}: warning: ${message}\n`);
};

export const print = (...lines: readonly string[]): void => {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
};

/**
 * Works through inputs one after another. One that fails is reported and the next one is tried; the exit code
 * is the worst of all.
 */
export async function forEachInput<T>(
  inputs: readonly T[],
  name: (input: T) => string,
  work: (input: T, index: number) => Promise<ExitCode>,
): Promise<ExitCode> {
  let worst: ExitCode = EXIT.done;
  for (const [index, input] of inputs.entries()) {
    try {
      const code = await work(input, index);
      if (worst === EXIT.done) worst = code;
    } catch (error) {
      complain(error, name(input));
      worst = error instanceof UsageError ? EXIT.usage : EXIT.failed;
    }
  }
  return worst;
}
