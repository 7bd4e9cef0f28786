/** The report of a run, as Markdown. */
import { type Machine, time } from '../report.js';
import { bestScriptRatio, type CandidateResult, type CaseResult, ratiosTo, shareOfPeak } from './compare.js';
import { startUpMilliseconds } from './fresh.js';
import type { LoadedPeers } from './load.js';
import type { StartUp } from './start-up.js';
import type { Verdict } from './targets.js';

export interface Report {
  readonly date: Date;
  readonly version: string;
  readonly machine: Machine;
  /** GFLOP/s by variant, the best of all rounds. */
  readonly peaks: ReadonlyMap<string, number>;
  readonly loaded: Pick<LoadedPeers, 'versions' | 'missing'>;
  readonly results: readonly CaseResult[];
  readonly started: StartUp | null;
  readonly verdicts: readonly Verdict[];
  readonly rounds: number;
  /** What the run was asked to leave out, if anything. */
  readonly filter: string;
}

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const ratio = (value: number | null | undefined) =>
  value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(2);

const times = ({ took }: CandidateResult): string =>
  `${time(took.best)} (${time(took.median)} ± ${(100 * took.spread).toFixed(0)} %)`;

/** One row per variant of ours: its time, rate and share, then each peer's time and the ratio to it. */
function caseRows(result: CaseResult, peers: readonly string[]): Row[] {
  return result.ours.map((ours) => {
    const ratios = ratiosTo(ours, result);
    const share = shareOfPeak(ours, result);
    const speed = result.operations === null ? '–' : (result.operations / ours.took.best / 1e9).toFixed(1);
    return [
      result.name,
      ours.name.replace(/^acom /, ''),
      times(ours),
      speed,
      share === null ? '–' : `${(100 * share).toFixed(0)} %`,
      ...peers.map((peer) => {
        const found = result.peers.find(({ name }) => name === peer);
        return found ? `${time(found.took.best)}, **${ratio(ratios.get(peer))}**` : '–';
      }),
      ratio(bestScriptRatio(ratios)),
    ];
  });
}

function section(group: string, results: readonly CaseResult[]): string {
  const peers = [...new Set(results.flatMap((result) => result.peers.map(({ name }) => name)))];
  const head = ['workload', 'variant', 'best (median)', 'GFLOP/s', 'of peak', ...peers, 'best script peer'];
  const rows = results.flatMap((result) => caseRows(result, peers));
  const failed = results.flatMap((result) =>
    result.failed.map(({ name, reason }) => `- ${result.name}: ${name} is left out: ${reason}`),
  );
  return [`## ${group[0]!.toUpperCase()}${group.slice(1)}`, table(head, rows), ...failed.slice(0, 20)].join(
    '\n\n',
  );
}

function startSection(started: StartUp): string {
  const milliseconds = (value: number) => `${value.toFixed(0)} ms`;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  const rows = [
    ['import the modules, file by file', milliseconds(started.importing)],
    ['load the weights', milliseconds(started.loading)],
    ['first second of speech, kernels compiled', milliseconds(started.firstSecond)],
    ['**start-up, the last two**', milliseconds(startUpMilliseconds(started))],
    ['then 10 s of speech, for the first time', milliseconds(started.tenSeconds)],
    ['peak resident memory', megabytes(started.peakBytes)],
    ['of that, Node alone', megabytes(started.bareBytes)],
  ];
  return ['## Device half in a fresh process', table(['', 'median'], rows)].join('\n\n');
}

const GROUP_NOTES = `Times are the best of all rounds, with the median and half the middle half of the rounds in brackets.
Under each peer stand its best time and, in bold, how many times as fast this project is: the median of the ratios
within a round. "of peak" is the share of the machine's measured SIMD peak, taken in the same way; the relaxed
variant is compared with the peak of fused multiply-adds. Operations are counted as the plain formula has them, so
an algorithm that multiplies less (Winograd, pruning) can show more than it executes. One thread each, warm; weights
are constants of a graph for the peers that have graphs, and packed before for ours. Each peer's result was compared
with ours before it was timed (10⁻⁴ of the range; of indices 99 % the same). Whole layers: ours has relative
attention, the peers' absolute attention, which is less work.`;

/** The whole report. */
export function markdown(report: Report): string {
  const { date, version, machine, peaks, loaded, results, started, verdicts, rounds, filter } = report;
  const groups = [...new Set(results.map(({ group }) => group))];
  const reached = verdicts.filter((verdict) => verdict.reached).length;
  const parts = [
    '# Against its peers',
    'Made by `npm run bench:peers`; do not edit.',
    table(
      ['', ''],
      [
        ['date', date.toISOString().slice(0, 16).replace('T', ' ')],
        ['acom', version],
        ['processor', `${machine.processor}, ${machine.cores} cores, ${machine.memoryGigabytes} GB`],
        ['system', machine.system],
        ['engine', `Node ${machine.node}, V8 ${machine.v8}`],
        ...[...peaks].map(([name, gflops]) => [`SIMD peak, ${name}`, `${gflops.toFixed(1)} GFLOP/s`]),
        ...loaded.versions.map((peer) => [peer.name, `${peer.package} ${peer.version}`]),
        ...loaded.missing.map(({ name, reason }) => [name, `missing: ${reason}`]),
        ['rounds', String(rounds)],
        ...(filter === '' ? [] : [['filter', filter]]),
      ],
    ),
    GROUP_NOTES,
    `## Targets: ${reached} of ${verdicts.length} reached`,
    table(
      ['target', 'workload', 'wanted', 'found', ''],
      verdicts.map(({ what, where, wanted, found, reached: ok }) => [
        what,
        where,
        wanted,
        found,
        ok ? 'yes' : '**no**',
      ]),
    ),
    ...groups.map((group) =>
      section(
        group,
        results.filter((result) => result.group === group),
      ),
    ),
    ...(started === null ? [] : [startSection(started)]),
  ];
  return `${parts.join('\n\n')}\n`;
}
