/**
 * What a codec makes of recordings that are worse than those it was tested on, with networks that training never let hear
 * them; and of codes by a device whose kernels add up in another order.
 */
import { resample } from '../../src/audio/index.js';
import { openSubject, poolEvaluations, type Subject } from '../../src/evaluation/index.js';
import { useKernels } from '../../src/ops/dispatch.js';
import { createRandom } from '../../src/tensor/index.js';
import {
  activePower,
  addNoise,
  clip,
  pinkNoise,
  quantize,
  type Random,
} from '../../src/training/augmentation/index.js';
import { evaluateSet, type TestSet } from '../../src/training/recipes/finish.js';
import { modelOf } from '../../src/training/recipes/part.js';
import { type Output, pointOf, provenanceOf, readResults, type SetResult, writeResults } from './results.js';
import { type Part, type Task, trainedOf } from './tasks.js';
import type { TrialSettings } from './trial.js';

type Change = (samples: Float32Array, sampleRate: number, random: Random) => Float32Array;

interface Condition {
  readonly name: string;
  readonly change: Change;
  /** Samples a second that the codec gets; the recordings' own where it is left out. */
  readonly sampleRate?: number;
}

const asIs: Change = (samples) => samples;

const noisy = (decibels: number): Condition => ({
  name: `pink noise, ${decibels} dB`,
  change: (samples, sampleRate, random) =>
    addNoise(
      samples,
      pinkNoise(samples.length, sampleRate, random),
      decibels,
      activePower(samples, sampleRate),
    ),
});

/** Cut off at a part of the largest sample. */
const clipped = (part: number): Condition => ({
  name: `clipped at ${100 * part} % of the peak`,
  change: (samples) => {
    const peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    return peak === 0 ? samples : clip(samples, part * peak);
  },
});

const CONDITIONS: readonly Condition[] = [
  { name: 'as recorded', change: asIs },
  ...[20, 10, 5, 0].map(noisy),
  { name: '8 bits a sample', change: (samples) => quantize(samples, 8) },
  clipped(0.3),
  clipped(0.1),
  ...[8000, 11025, 22050, 44100, 48000].map((sampleRate) => ({
    name: `${sampleRate} samples a second`,
    change: asIs,
    sampleRate,
  })),
];

function changed(set: TestSet, { change, sampleRate = set.sampleRate }: Condition): TestSet {
  const random = createRandom(1);
  return {
    ...set,
    sampleRate,
    recordings: set.recordings.map(({ samples, said }) => ({
      said,
      samples: resample(change(samples, set.sampleRate, random), set.sampleRate, sampleRate),
    })),
  };
}

export interface RobustnessRow {
  readonly condition: string;
  readonly set: string;
  readonly result: SetResult;
}

/** What codes of a device with reference kernels are, beside those of SIMD ones. */
export interface KernelsRow {
  readonly condition: 'kernels';
  readonly set: string;
  readonly recordings: number;
  /** Codes of both, and how many differ. */
  readonly codes: number;
  readonly different: number;
  /** Recordings of which the cloud makes something else. */
  readonly heardDifferently: number;
}

/** Models of all parts, as training left them. */
export async function modelsOf(parts: readonly Part[], runs: string, task: Task): Promise<Uint8Array[]> {
  const models: Uint8Array[] = [];
  for (const part of parts) {
    models.push(await modelOf(part, part.phases.coding, await trainedOf(runs, task, part, 'coded')));
  }
  return models;
}

/** Recordings of a set that go through the reference kernels, which take their time. */
const MOST = 40;

async function kernelsRow(models: readonly Uint8Array[], sets: readonly TestSet[]): Promise<KernelsRow> {
  let [recordings, codes, different, heardDifferently] = [0, 0, 0, 0];
  for (const [n, model] of models.entries()) {
    useKernels('reference');
    const device = await openSubject(model);
    useKernels('auto');
    const other = await openSubject(model);
    const { sampleRate, recordings: all } = sets[n]!;
    const bytesOf = ({ halves }: Subject, samples: Float32Array): Uint8Array => {
      const stream = halves!.encode(sampleRate);
      stream.push(samples);
      return stream.finish();
    };
    for (const { samples } of all.slice(0, Math.ceil(MOST / models.length))) {
      useKernels('reference');
      const sent = bytesOf(device, samples);
      useKernels('auto');
      const known = bytesOf(other, samples);
      const halves = other.halves!;
      const [a, b] = [halves.indices(sent), halves.indices(known)];
      recordings++;
      codes += a.length;
      different += a.filter((index, i) => index !== b[i]).length;
      if (halves.decode(sent) !== halves.decode(known)) heardDifferently++;
    }
  }
  return { condition: 'kernels', set: sets[0]!.name, recordings, codes, different, heardDifferently };
}

export async function robustness(
  parts: readonly Part[],
  { out, command, say }: Output,
  { task, runs, options }: TrialSettings,
): Promise<boolean> {
  type Row = RobustnessRow | KernelsRow;
  const provenance = provenanceOf('robustness', task.name, options.seed, command);
  const rows: Row[] = [...(readResults<Row>(out, 'robustness', task.name)?.rows ?? [])];
  const isKnown = (name: string, set: string): boolean =>
    rows.some((row) => row.condition === name && row.set === set);
  const models = await modelsOf(parts, runs, task);
  const add = async (row: Row, line: string): Promise<void> => {
    rows.push(row);
    await writeResults(out, { ...provenance, rows });
    say(line);
  };
  for (const [t, { set: named }] of parts[0]!.tests.entries()) {
    const sets = parts.map(({ tests }) => tests[t]!.set);
    for (const condition of CONDITIONS) {
      if (options.signal.aborted) return false;
      if (isKnown(condition.name, named.name)) continue;
      const each = [];
      for (const [n, model] of models.entries())
        each.push(await evaluateSet(model, changed(sets[n]!, condition)));
      const result = pointOf(poolEvaluations(each));
      const scores = result.points.map(({ count }) => count).join(' / ');
      await add(
        { condition: condition.name, set: named.name, result },
        `${named.name}, ${condition.name}: ${result.continuous.count} unsplit, ${scores} of ${result.continuous.total}`,
      );
    }
    if (isKnown('kernels', named.name)) continue;
    const row = await kernelsRow(models, sets);
    await add(
      row,
      `${named.name}: reference kernels on the device: ${row.different} of ${row.codes} codes are others, ` +
        `${row.heardDifferently} of ${row.recordings} recordings are heard differently`,
    );
  }
  return true;
}
