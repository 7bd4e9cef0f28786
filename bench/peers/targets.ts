/** What the speed of this project is meant to be, and what of it a run has reached. */
import {
  bestScriptRatio,
  type CandidateResult,
  type CaseResult,
  peakOf,
  ratiosTo,
  shareOfPeak,
} from './compare.js';
import { startUpMilliseconds } from './fresh.js';
import type { StartUp } from './start-up.js';

export interface Verdict {
  readonly what: string;
  readonly where: string;
  readonly wanted: string;
  readonly found: string;
  readonly reached: boolean;
}

interface Rule {
  readonly what: string;
  /** Which cases, by group and name. */
  readonly cases: RegExp;
  /** The least value, or the most where a small one is better. */
  readonly least?: number;
  readonly most?: number;
  /** null: says nothing of this candidate. */
  value(ours: CandidateResult, result: CaseResult): number | null;
  show(value: number): string;
}

const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
const times = (value: number) => `${value.toFixed(2)} ×`;
const milliseconds = (value: number) => `${(1e3 * value).toFixed(2)} ms`;

const share = (variant: 'simd' | 'relaxed', cases: RegExp, least: number): Rule => ({
  what: `share of the SIMD peak (${variant})`,
  cases,
  least,
  value: (ours, result) => (peakOf(ours.name) === variant ? shareOfPeak(ours, result) : null),
  show: percent,
});

const faster = (peer: string, cases: RegExp, least: number): Rule => ({
  what: `speed against ${peer}`,
  cases,
  least,
  value: (ours, result) => ratiosTo(ours, result).get(peer) ?? null,
  show: times,
});

const fasterThanScripts = (cases: RegExp, least: number): Rule => ({
  what: 'speed against the best JavaScript or WebAssembly peer',
  cases,
  least,
  value: (ours, result) => bestScriptRatio(ratiosTo(ours, result)),
  show: times,
});

const RULES: readonly Rule[] = [
  share('simd', /^matmul: /, 0.78),
  share('relaxed', /^matmul: /, 0.9),
  share('simd', /^matmul, one row/, 0.55),
  fasterThanScripts(/^matmul/, 1.5),
  faster('ort-node', /^matmul, one row/, 1),
  faster('ort-node', /^(depthwise|layer norm)/, 1),
  fasterThanScripts(/^conv2d: 3 × 3, (64|128)/, 1.8),
  fasterThanScripts(/^RVQ/, 1.7),
  faster('ort-node', /^RVQ/, 1),
  faster('pffft', /^log-mel/, 1),
  {
    what: 'time for 10 s of audio',
    cases: /^log-mel/,
    most: 0.01,
    value: ({ took }) => took.median,
    show: milliseconds,
  },
  faster('ort-web', /^conformer layer: d = 144/, 2.2),
  faster('ort-web', /^conformer layer: d = 512/, 1.8),
  {
    what: 'share of the SIMD peak',
    cases: /^conformer layer: .*T = 250$/,
    least: 0.65,
    value: (ours, result) => shareOfPeak(ours, result, 'simd'),
    show: percent,
  },
  faster('ort-node', /^conformer layer/, 0.55),
  faster('ort-node', /^conformer layer: d = 512, T = 25$/, 1),
  {
    what: 'times faster than real time',
    cases: /^device half: samples to bytes/,
    least: 300,
    value: ({ took }) => 10 / took.median,
    show: (value) => `${value.toFixed(0)} ×`,
  },
];

const reachedBy = ({ least = -Infinity, most = Infinity }: Rule, value: number) =>
  value >= least && value <= most;

function wantedBy({ least, most, show }: Rule): string {
  return least === undefined ? `at most ${show(most ?? Infinity)}` : `at least ${show(least)}`;
}

/** Each rule on each case that it is about, by our fastest variant that the rule applies to. */
export function judge(results: readonly CaseResult[], started: StartUp | null): Verdict[] {
  const verdicts = RULES.flatMap((rule) =>
    results.flatMap((result): Verdict[] => {
      const title = `${result.group}: ${result.name}`;
      if (!rule.cases.test(title)) return [];
      const order = [...result.ours].sort((a, b) => a.took.median - b.took.median);
      for (const ours of order) {
        const value = rule.value(ours, result);
        if (value === null) continue;
        const [wanted, found] = [wantedBy(rule), rule.show(value)];
        return [{ what: rule.what, where: title, wanted, found, reached: reachedBy(rule, value) }];
      }
      return [];
    }),
  );
  return started === null ? verdicts : [...verdicts, ...judgeStart(started)];
}

const MEGABYTE = 1e6;

function judgeStart(started: StartUp): Verdict[] {
  const [ready, peak] = [startUpMilliseconds(started), started.peakBytes / MEGABYTE];
  const where = 'device half: a fresh process';
  return [
    {
      what: 'start-up',
      where,
      wanted: 'at most 150 ms',
      found: `${ready.toFixed(0)} ms`,
      reached: ready <= 150,
    },
    {
      what: 'peak resident memory',
      where,
      wanted: 'at most 120 MB',
      found: `${peak.toFixed(0)} MB`,
      reached: peak <= 120,
    },
  ];
}
