/** Programs of the system that data is made with. */
import { execFile } from 'node:child_process';
import { MissingProgramError, SourceError } from '../../tensor/index.js';

export interface Program {
  readonly name: string;
  /** What it is needed for, as the start of a sentence. */
  readonly purpose: string;
  /** How to get it. */
  readonly install: string;
}

/** No run of a program takes so long unless it hangs. */
const MOST_MILLISECONDS = 600_000;

/**
 * Runs a program and gives what it prints. Throws MissingProgramError where there is none of that name, SourceError with
 * what it complains about where it fails.
 */
export function runProgram(
  { name, purpose, install }: Program,
  given: readonly string[],
  { cwd, signal }: { readonly cwd?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const options = {
    ...(cwd === undefined ? {} : { cwd }),
    timeout: MOST_MILLISECONDS,
    maxBuffer: 1 << 24,
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve, reject) => {
    execFile(name, [...given], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (signal?.aborted) reject(signal.reason);
      else if (error.code === 'ENOENT') reject(new MissingProgramError(name, purpose, install, error));
      else {
        const said = stderr.trim().split('\n').at(-1) || error.message;
        reject(new SourceError(`${[name, ...given].join(' ')}: ${said}`, error));
      }
    });
  });
}
