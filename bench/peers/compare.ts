/** One case: build every candidate, check its result, time all in interleaved rounds beside the machine's peak. */
import { difference } from '../../kernels/check/difference.js';
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import type { PeakRun } from '../peak.js';
import { medianRatio, type Summary, summarize } from '../statistics.js';
import type { Candidate } from './candidates.js';
import type { Case } from './cases/case.js';
import type { Peers } from './load.js';
import { interleave, type RoundOptions } from './rounds.js';

/** What a result may be off, as a part of its range. */
const TOLERANCE = 1e-4;
/** Indices that may differ: of codewords that are nearly equally near, rounding chooses. */
const DIFFERENT_INDICES = 0.01;

export type Peaks = Readonly<Partial<Record<'simd' | 'relaxed', PeakRun>>>;

export interface CandidateResult {
  readonly name: string;
  readonly took: Summary;
  /** Seconds of each round, NaN where it was left out. */
  readonly samples: readonly number[];
}

export interface CaseResult {
  readonly group: Case['group'];
  readonly name: string;
  readonly operations: number | null;
  readonly ours: readonly CandidateResult[];
  readonly peers: readonly CandidateResult[];
  /** Who did not run or was wrong, with the reason. */
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
  /** Seconds per operation of the peaks, in the same rounds. */
  readonly peaks: ReadonlyMap<string, readonly number[]>;
}

export const isOurs = (name: string): boolean => name.startsWith('acom');

/** Null, or how a result differs from ours. */
function complaint(ours: ArrayLike<number>, theirs: ArrayLike<number>, indices: boolean): string | null {
  if (!indices) {
    const off = difference(theirs, ours);
    return off <= TOLERANCE ? null : `its result is ${off.toExponential(1)} of the range off ours`;
  }
  let different = 0;
  for (let i = 0; i < ours.length; i++) if (ours[i] !== theirs[i]) different++;
  const part = theirs.length === ours.length ? different / ours.length : 1;
  return part <= DIFFERENT_INDICES ? null : `${(100 * part).toFixed(1)} % of its indices are not ours`;
}

interface Checked {
  readonly name: string;
  readonly candidate: Candidate;
}

export async function compare(
  each: Case,
  peers: Peers,
  peaks: Peaks,
  options: RoundOptions,
): Promise<CaseResult> {
  const memory = kernelMemory();
  const mark = memory?.mark() ?? 0;
  const built: Checked[] = [];
  const failed: { name: string; reason: string }[] = [];
  let expected: ArrayLike<number> | null = null;
  try {
    for (const entry of each.entries(peers)) {
      const { name } = entry;
      try {
        const candidate = await entry.build();
        built.push({ name, candidate });
        const result = await candidate.result();
        if (expected === null && !isOurs(name)) throw new Error('there is no result of ours to compare with');
        const wrong = expected === null ? null : complaint(expected, result, each.indices ?? false);
        if (wrong !== null) throw new Error(wrong);
        expected ??= result;
      } catch (error) {
        failed.push({ name, reason: reasonOf(error) });
      }
    }
    const right = built.filter(({ name }) => !failed.some((other) => other.name === name));
    const runners = [
      ...right.map(({ name, candidate }) => ({ name, run: () => candidate.run() })),
      ...Object.entries(peaks).map(([name, { run }]) => ({ name: `peak ${name}`, run })),
    ];
    const samples = await interleave(runners, options);
    const resultOf = ({ name }: Checked): CandidateResult => {
      const seconds = samples.get(name)!;
      return { name, samples: seconds, took: summarize(seconds.filter((s) => !Number.isNaN(s))) };
    };
    return {
      group: each.group,
      name: each.name,
      operations: each.operations,
      ours: right.filter(({ name }) => isOurs(name)).map(resultOf),
      peers: right.filter(({ name }) => !isOurs(name)).map(resultOf),
      failed,
      peaks: new Map(
        Object.entries(peaks).map(([name, { operations }]) => [
          name,
          samples.get(`peak ${name}`)!.map((seconds) => seconds / operations),
        ]),
      ),
    };
  } finally {
    for (const { candidate } of built) await candidate.close();
    memory?.pop(mark);
  }
}

const reasonOf = (error: unknown): string => String((error as Error)?.message ?? error).split('\n')[0]!;

/** Ratios of a peer's time to ours, by name: above 1, ours is faster. */
export const ratiosTo = (ours: CandidateResult, { peers }: CaseResult): Map<string, number> =>
  new Map(peers.map(({ name, samples }) => [name, medianRatio(samples, ours.samples)]));

/** The smallest ratio to a peer that is JavaScript or WebAssembly: the best of them. */
export function bestScriptRatio(ratios: ReadonlyMap<string, number>): number | null {
  const scripts = [...ratios].filter(([name]) => name !== 'ort-node').map(([, ratio]) => ratio);
  return scripts.length === 0 ? null : Math.min(...scripts);
}

/** The peak of the arithmetic that a candidate uses. */
export const peakOf = (name: string): 'simd' | 'relaxed' => (name.endsWith('relaxed') ? 'relaxed' : 'simd');

/** Share of a peak: the median over rounds; null where there is no rate or no peak. */
export function shareOfPeak(
  { name, samples }: CandidateResult,
  { operations, peaks }: CaseResult,
  of = peakOf(name),
): number | null {
  const peak = peaks.get(of);
  if (operations === null || peak === undefined) return null;
  const perOperation = samples.map((seconds) => seconds / operations);
  return medianRatio(peak, perOperation);
}
