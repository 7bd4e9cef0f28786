/** The end of a recipe: the model's file, test sets as recordings that anybody can evaluate, and scores on them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWav } from '../../audio/wav.js';
import type { CodecConfig } from '../../codec/index.js';
import { type Evaluation, openSubject, runRecording, summarize } from '../../evaluation/index.js';
import { type Tensor, view } from '../../tensor/index.js';
import { writeWhole } from '../data/files.js';
import { MANIFEST } from '../data/manifest.js';
import { exportCodec } from '../export.js';
import type { TrainResult } from '../run/index.js';
import type { StoredStatistics } from './features.js';

/** One recording of a test set, and what is said or heard in it. */
export interface TestRecording {
  readonly samples: Float32Array;
  readonly said: string;
}

export interface TestSet {
  readonly name: string;
  readonly sampleRate: number;
  readonly recordings: readonly TestRecording[];
}

/**
 * The codec model's file of what was trained. `counted` are recordings of training, by which the entropy tables learn how
 * often each codeword is used.
 */
export async function modelBytes(
  config: CodecConfig,
  { parameters, buffers }: Pick<TrainResult, 'parameters' | 'buffers'>,
  { mean, deviation }: StoredStatistics,
  counted: Iterable<Float32Array>,
): Promise<Uint8Array> {
  const vector = (values: readonly number[]): Tensor => view(Float32Array.from(values), [values.length]);
  const exporter = await exportCodec({
    config,
    tensors: [...parameters, ...buffers],
    statistics: { mean: vector(mean), deviation: vector(deviation) },
  });
  for (const samples of counted) exporter.count(samples, config.frontEnd.sampleRate);
  return exporter.finish();
}

/** Writes a test set below `folder`, as `acom eval` reads it: WAV files and a manifest. Gives the manifest's path. */
export async function writeTestSet(
  folder: string,
  { name, sampleRate, recordings }: TestSet,
  key: 'transcript' | 'label',
): Promise<string> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const lines: string[] = [];
  for (const [n, { samples, said }] of recordings.entries()) {
    const path = `${String(n).padStart(4, '0')}.wav`;
    await writeWhole(join(own, path), writeWav(samples, { sampleRate }));
    lines.push(JSON.stringify({ path, [key]: said }));
  }
  const manifest = join(own, MANIFEST);
  await writeWhole(manifest, `${lines.join('\n')}\n`);
  return manifest;
}

/** Scores of a model on a test set, uncut and for each number of codebooks, through the model's own streams. */
export async function evaluateSet(
  model: Uint8Array,
  { sampleRate, recordings }: TestSet,
): Promise<Evaluation> {
  const subject = await openSubject(model);
  const outcomes = recordings.map(({ samples, said }, n) =>
    runRecording(
      subject,
      { path: String(n), said, beam: 0 },
      { sampleRate, seconds: samples.length / sampleRate, blocks: () => [samples] },
    ),
  );
  return summarize(outcomes, subject);
}

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;

/** One line for each rate point. */
export function evaluationLines(
  name: string,
  { continuous, points, recordings, metric }: Evaluation,
): string[] {
  const scored = ({ count, total, rate, interval: [low, high] }: Evaluation['continuous']) =>
    `${count} of ${total}, ${percent(rate)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
  return [
    `${name}: ${recordings} recordings, ${metric}`,
    `  continuous  ${scored(continuous)}`,
    ...points.map(
      (point) =>
        `  k = ${point.k}  raw ${point.rawBitRate.toFixed(1)}, entropy ${point.entropyBitRate.toFixed(1)}, ` +
        `coded ${point.codedBitRate.toFixed(1)} bit/s: ${scored(point)}`,
    ),
  ];
}
