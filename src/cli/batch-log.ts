/**
 * What a folder of outputs was made from: `.acom-batch.jsonl` in it, with a line for each file that was done. A file is as it
 * was where input and output have the length and the time of change that the line says, and where model, options and version
 * are those of this run.
 */
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UsageError } from '../tensor/index.js';
import type { FileResult } from './file-result.js';
import { lookUp, writeOutput } from './files.js';
import { EXIT } from './run.js';

const NAME = '.acom-batch.jsonl';

/** A file as it was: length in bytes, and when it was changed, in milliseconds. */
export interface FileState {
  readonly size: number;
  readonly changed: number;
}

interface Line {
  /** Relative to the folder, as is `input`: they may move together. */
  readonly output: string;
  readonly input: string;
  readonly made: string;
  readonly from: FileState;
  readonly to: FileState;
  readonly result: Omit<FileResult, 'line'>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isState = (value: unknown): value is FileState =>
  isObject(value) && typeof value['size'] === 'number' && typeof value['changed'] === 'number';

const isLine = (value: unknown): value is Line => {
  if (!isObject(value) || !isObject(value['result'])) return false;
  const { output, input, made, from, to, result } = value;
  const texts = [output, input, made].every((text) => typeof text === 'string');
  if (!texts || !isState(from) || !isState(to) || !isObject(result['facts'])) return false;
  const { warnings, code } = result;
  const isWarned = Array.isArray(warnings) && warnings.every((each) => typeof each === 'string');
  return isWarned && (code === EXIT.done || code === EXIT.damaged);
};

/** A line that an interruption cut short, or that is none of ours, costs one file's work and nothing else. */
function parse(text: string): Line | null {
  try {
    const value: unknown = JSON.parse(text);
    return isLine(value) ? value : null;
  } catch {
    return null;
  }
}

/** What a file is now; null where there is none. */
export async function stateOf(path: string): Promise<FileState | null> {
  const found = await lookUp(path);
  return found?.isFile() ? { size: found.size, changed: found.mtimeMs } : null;
}

const isSame = (a: FileState, b: FileState | null): boolean =>
  b !== null && a.size === b.size && a.changed === b.changed;

export interface BatchLog {
  /** What an earlier run made of `input`, where nothing has changed since; null where there is work to do. */
  earlier(input: string, output: string): Promise<Omit<FileResult, 'line'> | null>;
  /** Keeps what became of a file; `from` is what the input was before it was read. */
  keep(input: string, output: string, from: FileState, result: FileResult): Promise<void>;
}

/** Opens the log of a folder. `made` stands for everything but the input that the outputs depend on. */
export async function openBatchLog(folder: string, made: string): Promise<BatchLog> {
  const there = await lookUp(folder);
  if (there !== null && !there.isDirectory()) {
    throw new UsageError(
      `${folder}: a file stands where the folder of the outputs is needed; name another with -o`,
    );
  }
  const path = join(folder, NAME);
  const nameOf = (file: string): string => relative(folder, resolve(file)).split(sep).join('/');
  const known = new Map<string, Line>();
  if ((await lookUp(path)) !== null) {
    const lines = (await readFile(path, 'utf8')).split('\n').filter((text) => text !== '');
    for (const text of lines) {
      const line = parse(text);
      if (line !== null) known.set(line.output, line);
    }
    // Lines that count no more go, so that the file does not grow with every run.
    if (known.size < lines.length) {
      const rest = [...known.values()].map((line) => `${JSON.stringify(line)}\n`).join('');
      await writeOutput(path, new TextEncoder().encode(rest));
    }
  }
  return {
    async earlier(input, output) {
      const line = known.get(nameOf(output));
      if (line === undefined || line.made !== made || line.input !== nameOf(input)) return null;
      const isAsItWas = isSame(line.from, await stateOf(input)) && isSame(line.to, await stateOf(output));
      return isAsItWas ? line.result : null;
    },
    async keep(input, output, from, { facts, warnings, code }) {
      const { size, mtimeMs } = await stat(output);
      const line: Line = {
        output: nameOf(output),
        input: nameOf(input),
        made,
        from,
        to: { size, changed: mtimeMs },
        result: { facts, warnings, code },
      };
      await mkdir(dirname(path), { recursive: true });
      await appendFile(path, `${JSON.stringify(line)}\n`);
    },
  };
}
