/** The file that keeps a line for each recording of an evaluation, so that an interrupted run goes on. */
import { appendFile, readFile, stat, truncate } from 'node:fs/promises';
import { isCodec } from '../codec/index.js';
import { codebooksOf, type Outcome, type Subject } from '../evaluation/index.js';
import { FormatError, UsageError } from '../tensor/index.js';
import { parseJsonLines } from '../training/data/json-lines.js';
import type { ManifestEntry } from './manifest.js';

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isList = <T>(value: unknown, isEach: (each: unknown) => each is T): value is T[] =>
  Array.isArray(value) && value.every(isEach);

/** A line of a details file, or null where it is none. */
function outcomeOf(line: Readonly<Record<string, unknown>>): Outcome | null {
  const { path, said, heardUncut, fingerprint, beam, seconds: duration } = line;
  const { deviceMilliseconds, cloudMilliseconds, heard, bytes, indices } = line;
  if (!isText(path) || !isText(said) || !isText(heardUncut) || !isList(heard, isText)) return null;
  if (!isNumber(fingerprint) || !isNumber(beam) || !isNumber(duration)) return null;
  if (!isNumber(deviceMilliseconds) || !isNumber(cloudMilliseconds)) return null;
  if (!isList(bytes, isNumber) || !isList(indices, isNumber)) return null;
  const times = { seconds: duration, deviceMilliseconds, cloudMilliseconds };
  return { path, said, fingerprint, beam, ...times, heardUncut, heard, bytes, indices };
}

/** Whether an outcome has what this model's codebooks give. */
function fits({ heard, bytes, indices }: Outcome, subject: Subject): boolean {
  const { config } = subject;
  const codebooks = codebooksOf(subject);
  const { codewords, groups = 1 } = isCodec(config) ? config.quantizer : { codewords: 0 };
  return (
    heard.length === codebooks &&
    bytes.length === codebooks &&
    (codebooks === 0 ? indices.length === 0 : indices.length % (codebooks * groups) === 0) &&
    indices.every((index) => Number.isInteger(index) && index >= 0 && index < codewords)
  );
}

/** Outcomes that an earlier run of the same evaluation left, and the bytes of the file that hold them. */
interface Earlier {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Where a line that an interruption cut short begins, or the end of the file. */
  readonly end: number;
  readonly size: number;
}

/**
 * Reads a details file and changes nothing. Throws for every file that an earlier run of the same evaluation
 * did not write: the name may be a slip, and what is there is not ours.
 */
async function earlierOutcomes(
  path: string,
  entries: readonly ManifestEntry[],
  subject: Subject,
  beam: number,
): Promise<Earlier> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return { outcomes: new Map(), end: 0, size: 0 };
  if (!found.isFile()) throw new UsageError(`${path}: --details wants a file`);
  const bytes = await readFile(path);
  const end = bytes.lastIndexOf(10) + 1;
  const remedy = 'name another file, or a new one, for --details';
  const linesOf = (complete: Uint8Array) => {
    try {
      return parseJsonLines(path, new TextDecoder('utf-8', { fatal: true }).decode(complete));
    } catch {
      throw new FormatError(path, `these are no details of eval; ${remedy}`);
    }
  };
  const outcomes = linesOf(bytes.subarray(0, end)).map((line, i) => {
    const outcome = outcomeOf(line);
    if (outcome === null) throw new FormatError(path, `entry ${i + 1} is none of eval's details; ${remedy}`);
    if (outcome.fingerprint !== subject.fingerprint || outcome.beam !== beam) {
      throw new UsageError(`${path}: these details are of another model or beam; ${remedy}`);
    }
    if (!fits(outcome, subject)) throw new FormatError(path, `entry ${i + 1} is damaged; ${remedy}`);
    return outcome;
  });
  const ours = new Set(entries.map((entry) => entry.path));
  if (bytes.length > 0 && !outcomes.some((outcome) => ours.has(outcome.path))) {
    throw new UsageError(`${path}: this holds no line about a recording of the manifest; ${remedy}`);
  }
  return { outcomes: new Map(outcomes.map((outcome) => [outcome.path, outcome])), end, size: bytes.length };
}

export interface Details {
  /** What an earlier run came to, by the path in the manifest. */
  readonly done: ReadonlyMap<string, Outcome>;
  keep(outcome: Outcome): Promise<void>;
}

/** Opens a details file, or none at all where there is no path. */
export async function openDetails(
  path: string | undefined,
  entries: readonly ManifestEntry[],
  subject: Subject,
  beam: number,
): Promise<Details> {
  if (path === undefined) return { done: new Map(), keep: async () => undefined };
  const earlier = await earlierOutcomes(path, entries, subject, beam);
  // The line that an interruption cut short goes, and its recording is done again.
  if (earlier.end < earlier.size) await truncate(path, earlier.end);
  return {
    done: earlier.outcomes,
    keep: (outcome) => appendFile(path, `${JSON.stringify(outcome)}\n`),
  };
}
