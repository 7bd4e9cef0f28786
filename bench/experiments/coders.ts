/**
 * What a user would pick instead of codes that are trained: coders for ears, whose sound the unsplit network hears; and scalars
 * of the same features, each rounded and coded by how often it comes.
 */
import { resample } from '../../src/audio/index.js';
import { constant } from '../../src/autograd/index.js';
import { type Evaluation, openSubject, poolEvaluations, scorePairs } from '../../src/evaluation/index.js';
import { logSoftmax } from '../../src/ops/index.js';
import { greedyDecode } from '../../src/tasks/index.js';
import { flat, view } from '../../src/tensor/index.js';
import { Features } from '../../src/training/recipes/features.js';
import { evaluateSet, type TestSet } from '../../src/training/recipes/finish.js';
import { AUDIO_CODERS, type AudioCoder, removeCoderFiles } from '../audio-coders.js';
import { kept, outOf, passOf, workloadOf } from './probe.js';
import {
  type Output,
  pointOf,
  provenanceOf,
  readResults,
  type SetResult,
  type StoredScore,
  writeResults,
} from './results.js';
import { modelsOf } from './robustness.js';
import { type Part, trainedOf } from './tasks.js';
import type { TrialSettings } from './trial.js';

export interface CoderRow {
  readonly coder: string;
  readonly kind: 'ears' | 'scalar' | 'acom';
  readonly set: string;
  /** Of every byte of every file; of scalars the length that their own frequencies give a perfect coder. */
  readonly bitRate: number;
  readonly score: StoredScore;
  /** Multiply-adds of the device for a second, where it runs a network. */
  readonly deviceMacs: number;
}

interface Heard {
  readonly said: string;
  readonly heard: string;
}

interface Measured {
  readonly pairs: readonly Heard[];
  readonly bits: number;
  readonly seconds: number;
}

/** A test set through a coder for ears, then through the network without a split. */
async function throughEars(coder: AudioCoder, model: Uint8Array, set: TestSet): Promise<Measured> {
  const subject = await openSubject(model);
  let [bits, seconds] = [0, 0];
  const pairs = set.recordings.map(({ samples, said }) => {
    const coded = coder.through(resample(samples, set.sampleRate, coder.rate));
    bits += 8 * coded.bytes;
    seconds += samples.length / set.sampleRate;
    const pieces = subject.uncut(coder.rate);
    pieces.push(coded.samples);
    return { said, heard: pieces.finish() };
  });
  return { pairs, bits, seconds };
}

/** Scalars of steps at the shipped cut, each rounded to a multiple of a part of its own deviation. */
async function asScalars(
  part: Part,
  set: TestSet,
  { task, runs }: TrialSettings,
  size: number,
): Promise<Measured> {
  const { coding } = part.phases;
  const workload = await workloadOf(part, coding);
  const continuous = await trainedOf(runs, task, part, 'continuous');
  const network = kept(continuous);
  const pass = passOf(network);
  const half = workload.coded.network;
  const { frontEnd, labels } = part.config(coding);
  if ('type' in frontEnd) throw new Error('a log-mel front end was expected');
  const features = new Features(frontEnd, part.statistics);
  const steps = set.recordings.map(({ samples }) =>
    outOf(() => {
      const { x, lengths } = half.prefix(pass, features.pack([samples]));
      return { values: Float32Array.from(flat(x.value)), lengths, width: x.shape[1]! };
    }),
  );
  const { width } = steps[0]!;
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  let rows = 0;
  for (const { values } of steps) {
    rows += values.length / width;
    values.forEach((value, i) => {
      sums[i % width]! += value;
      squares[i % width]! += value * value;
    });
  }
  const step = sums.map(
    (sum, d) => size * Math.sqrt(Math.max(1e-12, squares[d]! / rows - (sum / rows) ** 2)),
  );
  const counts = Array.from({ length: width }, () => new Map<number, number>());
  const rounded = steps.map(({ values }) =>
    Int32Array.from(values, (value, i) => Math.round(value / step[i % width]!)),
  );
  for (const indices of rounded) {
    indices.forEach((index, i) => {
      const column = counts[i % width]!;
      column.set(index, (column.get(index) ?? 0) + 1);
    });
  }
  let bits = 0;
  for (const column of counts) for (const n of column.values()) bits -= n * Math.log2(n / rows);
  const seconds = set.recordings.reduce((sum, { samples }) => sum + samples.length, 0) / set.sampleRate;
  const pairs = set.recordings.map(({ said }, n) => {
    const { lengths } = steps[n]!;
    const read = Float32Array.from(rounded[n]!, (index, i) => index * step[i % width]!);
    const heard = outOf(() => {
      const x = constant(view(read, [read.length / width, width]));
      const { value } = half.suffix(pass, { x, lengths }).x;
      if (task.metric === 'accuracy') {
        const logits = flat(value);
        return labels[logits.indexOf(Math.max(...logits))] ?? '';
      }
      return greedyDecode(logSoftmax(value))
        .map(({ label }) => labels[label])
        .join(' ');
    });
    return { said, heard };
  });
  return { pairs, bits, seconds };
}

/** Parts of a deviation that scalars are rounded to. */
const SCALAR_STEPS = [1, 2, 3, 4] as const;

export async function coders(
  parts: readonly Part[],
  { out, command, say }: Output,
  settings: TrialSettings,
): Promise<boolean> {
  const { task, runs, options } = settings;
  const provenance = provenanceOf('coders', task.name, options.seed, command);
  const rows: CoderRow[] = [...(readResults<CoderRow>(out, 'coders', task.name)?.rows ?? [])];
  const isKnown = (coder: string, set: string): boolean =>
    rows.some((row) => row.coder === coder && row.set === set);
  const add = async (row: CoderRow): Promise<void> => {
    rows.push(row);
    await writeResults(out, { ...provenance, rows });
    say(
      `${row.set}, ${row.coder}: ${row.bitRate.toFixed(0)} bit/s, ${row.score.count} of ${row.score.total}`,
    );
  };
  /** All parts together. */
  const together = async (
    coder: string,
    kind: CoderRow['kind'],
    set: string,
    measured: readonly Measured[],
    deviceMacs: number,
  ): Promise<void> => {
    const total = (of: (each: Measured) => number): number =>
      measured.reduce((sum, each) => sum + of(each), 0);
    const {
      count,
      total: all,
      interval,
    } = scorePairs(
      measured.flatMap(({ pairs }) => pairs),
      task.metric === 'accuracy' ? 'classification' : 'recognition',
    );
    const bitRate = total(({ bits }) => bits) / total(({ seconds }) => seconds);
    await add({
      coder,
      kind,
      set,
      bitRate: Math.round(bitRate),
      score: { count, total: all, interval },
      deviceMacs,
    });
  };
  const models = await modelsOf(parts, runs, task);
  try {
    for (const [t, { set: named }] of parts[0]!.tests.entries()) {
      const sets = parts.map(({ tests }) => tests[t]!.set);
      const own: Evaluation[] = [];
      for (const [n, model] of models.entries()) own.push(await evaluateSet(model, sets[n]!));
      const { deviceMacs, ...evaluation } = poolEvaluations(own);
      const result: SetResult = pointOf({ ...evaluation, deviceMacs });
      for (const { k, coded, ...score } of result.points) {
        const coder = `acom, ${k} codebook${k === 1 ? '' : 's'}`;
        const { count, total, interval } = score;
        if (isKnown(coder, named.name)) continue;
        await add({
          coder,
          kind: 'acom',
          set: named.name,
          bitRate: coded,
          score: { count, total, interval },
          deviceMacs,
        });
      }
      for (const size of SCALAR_STEPS) {
        const coder = `scalars, rounded to ${size} deviation${size === 1 ? '' : 's'}`;
        if (isKnown(coder, named.name)) continue;
        const measured: Measured[] = [];
        for (const [n, part] of parts.entries())
          measured.push(await asScalars(part, sets[n]!, settings, size));
        await together(coder, 'scalar', named.name, measured, deviceMacs);
      }
      for (const coder of AUDIO_CODERS) {
        if (options.signal.aborted) return false;
        if (isKnown(coder.name, named.name)) continue;
        try {
          const measured: Measured[] = [];
          for (const [n, model] of models.entries()) measured.push(await throughEars(coder, model, sets[n]!));
          await together(coder.name, 'ears', named.name, measured, 0);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
          say(`${coder.name} left out: ${(error as NodeJS.ErrnoException).path} is not installed`);
        }
      }
    }
  } finally {
    removeCoderFiles();
  }
  return true;
}
