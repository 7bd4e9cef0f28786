/** The campaigns over streams, and what is said of them. */
import { createRandom } from '../../src/tensor/index.js';
import { mutate } from '../../test/support/fuzz.js';
import { Campaign, type CampaignOptions, type Finding } from './campaign.js';
import { CountedCoverage } from './coverage.js';
import { damaged } from './mutations.js';
import type { FuzzOptions } from './options.js';
import { openTargets, type Target } from './targets.js';
import { startWatch } from './watchdog.js';

const watch = startWatch();

/** Milliseconds from which the slowest input is shown. */
const SLOW_ENOUGH = 1000;

/** Cases after which branches are compared. */
const MARKS = [1000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000];

interface Line {
  readonly cases: number;
  readonly branches: number;
  readonly buckets: number;
}

interface Outcome {
  readonly targets: readonly Target[];
  readonly campaign: Campaign;
  readonly coverage: CountedCoverage;
  readonly lines: readonly Line[];
  readonly seconds: number;
}

const count = (n: number): string => n.toLocaleString('en-US');

type Kind = Pick<CampaignOptions, 'mutate' | 'guided'>;

/** Runs a campaign until `isOver` says so. Readers are opened anew: what they make when they first need it counts for each. */
async function outcomeOf(
  kind: Kind,
  seed: number,
  isOver: (cases: number) => boolean,
  say: boolean,
): Promise<Outcome> {
  const targets = await openTargets();
  const coverage = new CountedCoverage();
  const begun = performance.now();
  const campaign = new Campaign({
    ...kind,
    seeds: targets.flatMap(({ seeds }, target) => seeds.map((bytes) => ({ target, bytes }))),
    run: ({ target, bytes }) => targets[target]!.read(bytes),
    coverage,
    random: createRandom(seed),
    watch,
  });
  const lines: Line[] = [];
  const mark = (): void => {
    lines.push({ cases: campaign.cases, branches: coverage.reached(), buckets: coverage.buckets() });
  };
  mark();
  let said = begun;
  while (!isOver(campaign.cases)) {
    campaign.step();
    if (MARKS.includes(campaign.cases)) mark();
    if (say && performance.now() - said > 30_000) {
      said = performance.now();
      console.log(
        `  ${((said - begun) / 1000).toFixed(0)} s: ${count(campaign.cases)} cases, corpus ${count(campaign.corpus.length)}, ` +
          `${coverage.reached()} of ${coverage.total} branches, ${campaign.findings.size} findings`,
      );
    }
  }
  if (lines.at(-1)!.cases !== campaign.cases) mark();
  return { targets, campaign, coverage, lines, seconds: (performance.now() - begun) / 1000 };
}

function describe(name: string, { campaign, coverage, seconds }: Outcome): string {
  const { cases, accepted, corpus, findings, slowestMilliseconds, mostBytes } = campaign;
  return (
    `${name}: ${count(cases)} cases in ${seconds.toFixed(0)} s (${count(Math.round(cases / seconds))} a second), ${count(accepted)} accepted, ` +
    `corpus ${count(corpus.length)}, ${coverage.reached()} of ${coverage.total} branches, slowest ${slowestMilliseconds.toFixed(0)} ms of the processor, ` +
    `most memory ${count(mostBytes)} bytes, ${findings.size} findings`
  );
}

function describeFinding({ message, input, at }: Finding, targets: readonly Target[]): string {
  const hex = Buffer.from(input.bytes).toString('hex');
  return `case ${at}, ${targets[input.target]!.name}: ${message}\n  ${hex}`;
}

/** Runs what the options say and prints it; whether nothing was found. */
export async function fuzzStreams(options: FuzzOptions): Promise<boolean> {
  const { cases, minutes, seed, compare, missing } = options;
  const until = performance.now() + 60_000 * (minutes ?? 0);
  const isOver = minutes === null ? (done: number) => done >= cases : () => performance.now() >= until;
  const kinds: Readonly<Record<string, Kind>> = {
    guided: { mutate: ({ bytes }, other, random) => damaged(bytes, other.bytes, random), guided: true },
    'the same damage, of seeds alone': {
      mutate: ({ bytes }, other, random) => damaged(bytes, other.bytes, random),
      guided: false,
    },
    'blind damage, of seeds alone': {
      mutate: ({ bytes }, _, random) => mutate(bytes, random),
      guided: false,
    },
  };
  const outcomes: Outcome[] = [];
  for (const [name, kind] of Object.entries(kinds)) {
    const [first] = outcomes;
    if (first !== undefined && !compare) break;
    // The others have as many cases as the first.
    const end = first === undefined ? isOver : (done: number) => done >= first.campaign.cases;
    const outcome = await outcomeOf(kind, seed, end, first === undefined);
    outcomes.push(outcome);
    console.log(describe(name, outcome));
    const { slowest, slowestMilliseconds } = outcome.campaign;
    if (slowest !== null && slowestMilliseconds > SLOW_ENOUGH) {
      const hex = Buffer.from(slowest.bytes).toString('hex');
      console.log(`  the slowest, ${outcome.targets[slowest.target]!.name}: ${hex}`);
    }
  }
  console.log(
    `\nbranches, and (how often), reached after so many cases: ${Object.keys(kinds).slice(0, outcomes.length).join('; ')}`,
  );
  outcomes[0]!.lines.forEach(({ cases: after }, i) => {
    const row = outcomes.map(({ lines }) => {
      const line = lines[i];
      return line ? `${String(line.branches).padStart(6)} (${line.buckets})` : '';
    });
    console.log(`${count(after).padStart(12)} ${row.join('')}`);
  });
  console.log('');
  for (const { file, branches, reached, missing: lines } of outcomes[0]!.coverage.report()) {
    const where = missing && lines.length > 0 ? `, not line ${lines.join(', ')}` : '';
    console.log(`  ${file.padEnd(28)} ${reached} of ${branches}${where}`);
  }
  for (const { campaign, targets } of outcomes) {
    for (const finding of campaign.findings.values()) console.error(describeFinding(finding, targets));
  }
  return outcomes.every(({ campaign }) => campaign.findings.size === 0);
}
