/** Whether both compute the same, and how long they take. */
import { flat } from '../../src/tensor/index.js';
import { time } from '../report.js';
import { median, medianRatio, summarize } from '../statistics.js';
import { batchSeconds, describeBatch, isPadded } from './batch.js';
import type { Timing, Trainee } from './trainee.js';

/** Largest difference of a gradient, as a part of its largest number. */
const GRADIENTS = 1e-3;
/**
 * Of a loss. Padding changes the last frames of shorter recordings, in PyTorch as in SpeechBrain: the front end sees zeros
 * there instead of reflected frames, and convolutions in layers see what these become.
 */
const LOSS = { equal: 1e-4, padded: 0.02 };
const WARM_PASSES = 3;

/** Throws where losses differ, or any gradients of a batch without padding. */
export async function compareGradients(
  batch: string,
  threads: number,
  ours: Trainee,
  theirs: Trainee,
): Promise<void> {
  const [a, b] = [await ours.pass(batch, threads), await theirs.pass(batch, threads)];
  const padded = isPadded(batch);
  if (!(Math.abs(a.loss - b.loss) <= (padded ? LOSS.padded : LOSS.equal) * Math.abs(b.loss))) {
    throw new Error(`${batch}, ${threads} threads: our loss is ${a.loss}, theirs ${b.loss}`);
  }
  if (padded) return;
  for (const [name, right] of b.gradients) {
    const gradient = a.gradients.get(name);
    if (gradient === undefined) throw new Error(`${batch}: there is no gradient of ${name}`);
    const [got, expected] = [flat(gradient), flat(right)];
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const gap = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
    if (!(gap <= GRADIENTS * largest)) {
      throw new Error(`${batch}, ${threads} threads: gradient of ${name} is off by ${gap} of ${largest}`);
    }
  }
}

export interface RoundsOptions {
  readonly batch: string;
  readonly threads: number;
  readonly rounds: number;
}

/** One pass of each in every round, in turns; what came of it, in lines. */
export async function timeRounds(
  { batch, threads, rounds }: RoundsOptions,
  ours: Trainee,
  theirs: Trainee,
): Promise<string[]> {
  const sides = [ours, theirs] as const;
  for (const side of sides) await side.time(batch, threads, WARM_PASSES);
  const timings: [Timing[], Timing[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    // Each goes first in every second round.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const side of order as (0 | 1)[]) {
      timings[side].push(await sides[side].time(batch, threads, 1));
    }
  }
  const seconds = timings.map((list) => list.map((timing) => timing.seconds)) as [number[], number[]];
  const processor = timings.map((list) => list.map((timing) => timing.processorSeconds)) as [
    number[],
    number[],
  ];
  const described = timings.map((list, side) => describe(list, seconds[side]!, processor[side]!));
  const ratio = medianRatio(seconds[1], seconds[0]);
  const speech = batchSeconds(batch) / median(seconds[0]);
  return [
    `${describeBatch(batch)}, ${threads === 1 ? '1 thread' : `${threads} threads`}:`,
    `  acom     ${described[0]}`,
    `  PyTorch  ${described[1]}`,
    `  acom is ${ratio.toFixed(2)} times as fast by the clock, ` +
      `${medianRatio(processor[1], processor[0]).toFixed(2)} times by processor time; ` +
      `${speech.toFixed(0)} s of speech a second`,
  ];
}

function describe(
  timings: readonly Timing[],
  seconds: readonly number[],
  processor: readonly number[],
): string {
  const { median: middle, best } = summarize(seconds);
  const phases = ['forward', 'loss', 'backward'].map(
    (phase) => `${phase} ${time(median(timings.map((timing) => timing.phases[phase] ?? Number.NaN)))}`,
  );
  return (
    `${time(middle).padStart(9)} (best ${time(best)}, processor ${time(median(processor))}): ` +
    phases.join(', ')
  );
}
