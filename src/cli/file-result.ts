/** What became of one file that was read and written. */
import type { ExitCode } from './run.js';

export interface FileResult {
  /** What `--json` says of it. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The same for people. */
  readonly line: string;
  readonly warnings: readonly string[];
  /** Done, or damaged. */
  readonly code: ExitCode;
}

/** Where work shows how far it is, in parts of the whole file. */
export type Watch = (done: number, total: number) => void;

/** Reads `path` and writes `output`, whole or not at all. */
export type FileWork = (path: string, output: string, watch?: Watch) => Promise<FileResult>;
