import { appendFile, readFile, truncate } from 'node:fs/promises';
import { truncateCodebooks } from '../bitstream/index.js';
import type { CloudDecoder, DeviceEncoder, UncutRecognizer } from '../codec/index.js';
import { entropyOfCounts } from '../quantizer/usage.js';
import { type Tally, type WordErrorRate, wordErrorRate, wordErrors, wordsOf } from '../tasks/index.js';
import { UsageError } from '../tensor/index.js';
import { type ManifestEntry, parseJsonLines, readManifest } from './manifest.js';
import { openModel } from './model.js';
import { startProgress } from './progress.js';
import { openRecording } from './recordings.js';
import { EXIT, type ExitCode, print } from './run.js';
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
  for (const block of recording.blocks()) {
    onDevice(() => stream.push(block));
    plain.push(block);
  }
  recording.close();
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

/** Outcomes that an earlier run of the same evaluation left in the details file. */
async function earlierOutcomes(
  path: string | undefined,
  fingerprint: number,
  beam: number,
): Promise<Map<string, Outcome>> {
  if (path === undefined) return new Map();
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  // The line that an interruption cut short goes, and its utterance is done again.
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  if (complete.length < text.length) await truncate(path, Buffer.byteLength(complete));
  const lines = parseJsonLines(path, complete) as unknown as Outcome[];
  const other = lines.find((line) => line.fingerprint !== fingerprint || line.beam !== beam);
  if (other) throw new UsageError(`${path}: these details are of another model or beam; name another file`);
  return new Map(lines.map((line) => [line.path, line]));
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
  const entries = await readManifest(manifest);
  const model = await openModel(options.model);
  const beam = options.beam ?? 0;
  const done = await earlierOutcomes(options.details, model.fingerprint, beam);
  const halves: Halves = {
    encoder: await model.deviceEncoder(),
    decoder: await model.cloudDecoder(),
    uncut: await model.uncutRecognizer(),
  };
  const progress = startProgress('eval', entries.length, 'utterances');
  const outcomes: Outcome[] = [];
  try {
    for (const entry of entries) {
      const known = done.get(entry.path);
      const outcome = known?.said === entry.transcript ? known : await runUtterance(halves, entry, beam);
      if (options.details !== undefined && outcome !== known) {
        await appendFile(options.details, `${JSON.stringify(outcome)}\n`);
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
