import { appendFile, readFile, stat, truncate } from 'node:fs/promises';
import { truncateCodebooks } from '../bitstream/index.js';
import type { CloudDecoder, DeviceEncoder, UncutRecognizer } from '../codec/index.js';
import { entropyOfCounts } from '../quantizer/usage.js';
import { type Tally, type WordErrorRate, wordErrorRate, wordErrors, wordsOf } from '../tasks/index.js';
import { FormatError, UsageError } from '../tensor/index.js';
import { shortPath } from './files.js';
import { type ManifestEntry, parseJsonLines, readManifest } from './manifest.js';
import { openHalf } from './model.js';
import { startProgress } from './progress.js';
import { openRecording, warnIfCut } from './recordings.js';
import { EXIT, type ExitCode, naming, print } from './run.js';
import { count, percent, seconds, table } from './text.js';

export interface EvalArguments {
  readonly model?: string;
  readonly beam?: number;
  readonly json?: boolean;
  /** File that keeps a line for each utterance; an interrupted run goes on from it. */
  readonly details?: string;
}

/** What one utterance came to. */
interface Outcome {
  readonly path: string;
  readonly said: string;
  readonly fingerprint: number;
  readonly beam: number;
  readonly seconds: number;
  readonly deviceMilliseconds: number;
  readonly cloudMilliseconds: number;
  /** By the uncut model. */
  readonly heardUncut: string;
  /** By the first k codebooks, k = 1 .. K. */
  readonly heard: readonly string[];
  readonly bytes: readonly number[];
  /** Vector after vector, K indices each. */
  readonly indices: readonly number[];
}

/** One row of the result: the first k codebooks of every stream. */
export interface RatePoint {
  readonly k: number;
  readonly wer: number;
  readonly interval: readonly [number, number];
  readonly errors: number;
  readonly rawBitRate: number;
  /** Order-0 entropy of the indices that these recordings gave. */
  readonly entropyBitRate: number;
  /** Every byte of every file. */
  readonly codedBitRate: number;
}

export interface Evaluation {
  readonly task: 'recognition';
  readonly model: string;
  readonly utterances: number;
  readonly words: number;
  readonly seconds: number;
  readonly continuous: {
    readonly wer: number;
    readonly interval: readonly [number, number];
    readonly errors: number;
  };
  readonly points: readonly RatePoint[];
  /** Times faster than real time, on one core. */
  readonly deviceSpeed: number;
  readonly cloudSpeed: number;
}

interface Halves {
  readonly fingerprint: number;
  readonly encoder: DeviceEncoder;
  readonly decoder: CloudDecoder;
  readonly uncut: UncutRecognizer;
}

async function runUtterance(
  { encoder, decoder, uncut }: Halves,
  entry: ManifestEntry,
  beam: number,
): Promise<Outcome> {
  const recording = await openRecording(entry.file);
  const stages = encoder.config.quantizer.codebooks;
  const decoding = beam === 0 ? {} : { beam };
  const stream = encoder.stream(recording.sampleRate, { codebooks: stages });
  const plain = uncut.stream(recording.sampleRate, decoding);
  let deviceMilliseconds = 0;
  const onDevice = <T>(work: () => T): T => {
    const start = performance.now();
    const result = work();
    deviceMilliseconds += performance.now() - start;
    return result;
  };
  warnIfCut(entry.file, recording);
  try {
    for (const block of recording.blocks()) {
      onDevice(() => stream.push(block));
      plain.push(block);
    }
  } finally {
    recording.close();
  }
  const whole = onDevice(() => stream.finish());
  const start = performance.now();
  const streams = Array.from({ length: stages }, (_, k) => truncateCodebooks(whole, k + 1));
  const heard = streams.map((bytes) => decoder.decode(bytes, decoding).text);
  return {
    path: entry.path,
    said: entry.transcript,
    fingerprint: encoder.coder.fingerprint,
    beam,
    seconds: recording.seconds,
    deviceMilliseconds,
    cloudMilliseconds: (performance.now() - start) / stages,
    heardUncut: plain.finish().text,
    heard,
    bytes: streams.map((bytes) => bytes.length),
    indices: [...decoder.coder.read(whole).indices.data],
  };
}

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
function fits({ heard, bytes, indices }: Outcome, { encoder }: Halves): boolean {
  const { codebooks, codewords } = encoder.config.quantizer;
  return (
    heard.length === codebooks &&
    bytes.length === codebooks &&
    indices.length % codebooks === 0 &&
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
  halves: Halves,
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
    if (outcome.fingerprint !== halves.fingerprint || outcome.beam !== beam) {
      throw new UsageError(`${path}: these details are of another model or beam; ${remedy}`);
    }
    if (!fits(outcome, halves)) throw new FormatError(path, `entry ${i + 1} is damaged; ${remedy}`);
    return outcome;
  });
  const ours = new Set(entries.map((entry) => entry.path));
  if (bytes.length > 0 && !outcomes.some((outcome) => ours.has(outcome.path))) {
    throw new UsageError(`${path}: this holds no line about a recording of the manifest; ${remedy}`);
  }
  return { outcomes: new Map(outcomes.map((outcome) => [outcome.path, outcome])), end, size: bytes.length };
}

function tallies(outcomes: readonly Outcome[], heard: (outcome: Outcome) => string): Tally[] {
  return outcomes.map((outcome) => {
    const said = wordsOf(outcome.said);
    return { words: said.length, errors: wordErrors(said, wordsOf(heard(outcome))) };
  });
}

/** Bits of the indices of stage `stage` by their own order-0 entropy. */
function entropyBits(outcomes: readonly Outcome[], stage: number, stages: number, codewords: number): number {
  const counts = new Int32Array(codewords);
  let vectors = 0;
  for (const { indices } of outcomes) {
    for (let i = stage; i < indices.length; i += stages) {
      counts[indices[i]!]!++;
      vectors++;
    }
  }
  return vectors * entropyOfCounts(counts);
}

function summarize(outcomes: readonly Outcome[], { encoder }: Halves): Evaluation {
  const { codebooks: stages, codewords } = encoder.config.quantizer;
  const total = (value: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0);
  const duration = total((outcome) => outcome.seconds);
  const perSecond = (amount: number) => (duration === 0 ? 0 : amount / duration);
  const shares = ({ rate, interval, errors }: WordErrorRate) => ({ wer: rate, interval, errors });
  const continuous = wordErrorRate(tallies(outcomes, ({ heardUncut }) => heardUncut));
  const vectors = total(({ indices }) => indices.length / stages);
  let entropy = 0;
  const points = Array.from({ length: stages }, (_, stage): RatePoint => {
    entropy += entropyBits(outcomes, stage, stages, codewords);
    return {
      k: stage + 1,
      ...shares(wordErrorRate(tallies(outcomes, ({ heard }) => heard[stage]!))),
      rawBitRate: perSecond(vectors * (stage + 1) * Math.log2(codewords)),
      entropyBitRate: perSecond(entropy),
      codedBitRate: perSecond(8 * total(({ bytes }) => bytes[stage]!)),
    };
  });
  const speed = (milliseconds: number) => (milliseconds === 0 ? 0 : (1000 * duration) / milliseconds);
  return {
    task: 'recognition',
    model: encoder.config.name,
    utterances: outcomes.length,
    words: continuous.words,
    seconds: duration,
    continuous: shares(continuous),
    points,
    deviceSpeed: speed(total((outcome) => outcome.deviceMilliseconds)),
    cloudSpeed: speed(total((outcome) => outcome.cloudMilliseconds)),
  };
}

function report(result: Evaluation): string[] {
  const { model, utterances, words, continuous, points } = result;
  const wer = ({ errors, wer: rate, interval: [low, high] }: Evaluation['continuous']) => [
    `${errors} of ${count(words)}`,
    percent(rate),
    `${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)} %`,
  ];
  const rows = [
    ['continuous', '', '', '', ...wer(continuous)],
    ...points.map((point) => [
      `k = ${point.k}`,
      point.rawBitRate.toFixed(1),
      point.entropyBitRate.toFixed(1),
      point.codedBitRate.toFixed(1),
      ...wer(point),
    ]),
  ];
  return [
    `${model}: ${count(utterances)} utterances, ${count(words)} words, ${seconds(result.seconds)}`,
    '',
    ...table(
      [
        { title: '', align: 'left' },
        { title: 'raw bit/s' },
        { title: 'entropy' },
        { title: 'coded' },
        { title: 'word errors' },
        { title: 'rate' },
        { title: '95 % interval' },
      ],
      rows,
    ),
    '',
    `device half ${result.deviceSpeed.toFixed(0)} times, cloud half ${result.cloudSpeed.toFixed(0)} times faster than ` +
      'real time on one core; coded counts every byte of every file',
  ];
}

/** acom eval: word errors and bit rates of a test set. */
export async function evaluate(manifest: string, options: EvalArguments): Promise<ExitCode> {
  const { details, beam = 0 } = options;
  const entries = await readManifest(manifest);
  const halves = await openHalf(
    options.model,
    async (model): Promise<Halves> => ({
      fingerprint: model.fingerprint,
      encoder: await model.deviceEncoder(),
      decoder: await model.cloudDecoder(),
      uncut: await model.uncutRecognizer(),
    }),
  );
  let done: ReadonlyMap<string, Outcome> = new Map();
  if (details !== undefined) {
    const earlier = await naming(details, () => earlierOutcomes(details, entries, halves, beam));
    // The line that an interruption cut short goes, and its utterance is done again.
    if (earlier.end < earlier.size) await truncate(details, earlier.end);
    done = earlier.outcomes;
  }
  const progress = startProgress('eval', entries.length, 'utterances');
  const outcomes: Outcome[] = [];
  try {
    for (const [i, entry] of entries.entries()) {
      const known = done.get(entry.path);
      // One that fails ends the run: the word errors of the others are not those of the test set.
      const outcome =
        known?.said === entry.transcript
          ? known
          : await naming(`${shortPath(entry.file)} (entry ${i + 1} of ${shortPath(manifest)})`, () =>
              runUtterance(halves, entry, beam),
            );
      if (details !== undefined && outcome !== known) {
        await appendFile(details, `${JSON.stringify(outcome)}\n`);
      }
      outcomes.push(outcome);
      progress.update(outcomes.length);
    }
  } finally {
    progress.stop();
  }
  const result = summarize(outcomes, halves);
  print(...(options.json ? [JSON.stringify(result)] : report(result)));
  return EXIT.done;
}
