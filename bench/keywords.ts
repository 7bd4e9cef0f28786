/**
 * npm run bench:keywords: keyword networks that ARM trained, loaded without a framework, on recordings that they were not
 * trained on. First each network as it is; then CNN_L cut after its second convolution, with codebooks fitted on some
 * speakers and tested on others. Writes bench/KEYWORDS.md and bench/keywords.svg.
 *
 * `choose` says which row to recommend without looking at the test: the lowest rate there that costs no more than a point.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Recording, readRecording } from '../src/audio/index.js';
import { draw } from '../src/cli/chart.js';
import { startProgress } from '../src/cli/progress.js';
import { count } from '../src/cli/text.js';
import {
  type Evaluation,
  openSubject,
  runRecording,
  type Score,
  summarize,
} from '../src/evaluation/index.js';
import { importArmKeywords } from '../src/published/index.js';
import { parseJsonLines } from '../src/training/data/json-lines.js';
import { type FitCodecOptions, fitCodec } from '../src/training/index.js';
import { repository, shared } from '../test/support/shared.js';
import { describeMachine, thisMachine } from './report.js';

const WEIGHTS = 'weights/kws-arm-cnn';
const RECORDINGS = 'data/kws-sc-16k/manifest.jsonl';
/** Clips of the first version of the data set, some of which ARM may have trained on: they fit codebooks, no more. */
const OLD_SET = 'v0.01-sample';

type Split = 'fit' | 'choose' | 'test';

interface Clip extends Recording {
  readonly path: string;
  readonly label: string;
  readonly split: Split;
  readonly isOld: boolean;
}

/** Two fifths of the speakers each fit and test, one fifth chooses; noise has no speaker, and is split by its file. */
function splitOf(owner: string): Split {
  const part = createHash('sha1').update(owner).digest()[0]! / 256;
  return part < 0.4 ? 'fit' : part < 0.6 ? 'choose' : 'test';
}

async function readClips(): Promise<Clip[]> {
  const manifest = shared(RECORDINGS);
  const entries = parseJsonLines(RECORDINGS, readFileSync(manifest, 'utf8'));
  const progress = startProgress('recordings', entries.length, 'clips');
  const clips: Clip[] = [];
  for (const entry of entries) {
    const path = String(entry['path']);
    const recording = await readRecording(readFileSync(join(dirname(manifest), path)));
    const split = splitOf(typeof entry['speaker'] === 'string' ? entry['speaker'] : path);
    clips.push({ ...recording, path, label: String(entry['label']), split, isOld: entry['set'] === OLD_SET });
    progress.update(clips.length);
  }
  progress.stop();
  return clips;
}

/** Accuracy and rates of a model on clips. */
async function evaluate(model: Uint8Array, clips: readonly Clip[], label: string): Promise<Evaluation> {
  const subject = await openSubject(model);
  const progress = startProgress(label, clips.length, 'clips');
  const outcomes = clips.map((clip, i) => {
    const seconds = clip.samples.length / clip.sampleRate;
    const recording = { sampleRate: clip.sampleRate, seconds, blocks: () => [clip.samples] };
    const outcome = runRecording(subject, { path: clip.path, said: clip.label, beam: 0 }, recording);
    progress.update(i + 1);
    return outcome;
  });
  progress.stop();
  return summarize(outcomes, subject);
}

const percent = (part: number): string => (100 * part).toFixed(2);
const scored = ({ rate, interval: [low, high] }: Score): string =>
  `${percent(rate)} (${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)})`;

async function importNetwork(name: string): Promise<Uint8Array> {
  const path = shared(`${WEIGHTS}/${name}.json`);
  const bin = new Uint8Array(readFileSync(path.replace(/json$/, 'bin')));
  return (await importArmKeywords(readFileSync(path, 'utf8'), bin, { name })).model;
}

/** Codecs that are tried; each with all numbers of codebooks up to its own. */
const TRIED: readonly Pick<FitCodecOptions, 'metric' | 'pooling' | 'codebooks' | 'codewords'>[] = [
  { metric: 'plain', pooling: 1, codebooks: 2, codewords: 64 },
  { metric: 'plain', pooling: 2, codebooks: 3, codewords: 64 },
  { metric: 'reader', pooling: 1, codebooks: 2, codewords: 64 },
  { metric: 'reader', pooling: 2, codebooks: 3, codewords: 16 },
  { metric: 'reader', pooling: 2, codebooks: 3, codewords: 64 },
  { metric: 'reader', pooling: 4, codebooks: 3, codewords: 64 },
  { metric: 'reader', pooling: 4, codebooks: 2, codewords: 256 },
];
const SPLIT_LAYER = 2;

async function fit(network: Uint8Array, clips: readonly Clip[], options: (typeof TRIED)[number]) {
  const fitter = await fitCodec(network, { ...options, splitLayer: SPLIT_LAYER });
  for (const clip of clips) {
    const stream = fitter.stream(clip.sampleRate);
    stream.push(clip.samples);
    stream.finish();
  }
  return fitter.finish();
}

interface Row {
  readonly metric: string;
  /** Metric, pooling and codewords. */
  readonly family: string;
  readonly codec: string;
  readonly raw: number;
  readonly entropy: number;
  readonly coded: number;
  readonly choose: number;
  readonly test: Score;
}

async function rowsOf(
  network: Uint8Array,
  clips: readonly Clip[],
): Promise<{
  readonly rows: Row[];
  readonly baseline: Record<'choose' | 'test', Score>;
}> {
  const of = (split: Split) =>
    clips.filter((clip) => clip.split === split && (split === 'fit' || !clip.isOld));
  const rows: Row[] = [];
  let baseline: Record<'choose' | 'test', Score> | undefined;
  for (const options of TRIED) {
    const { metric, pooling, codebooks, codewords } = options;
    const name = `${metric} metric, pooling ${pooling}, ${codewords} codewords`;
    const codec = await fit(network, of('fit'), options);
    const choose = await evaluate(codec, of('choose'), `${name}, choose`);
    const test = await evaluate(codec, of('test'), `${name}, test`);
    baseline ??= { choose: choose.continuous, test: test.continuous };
    for (let k = 1; k <= codebooks; k++) {
      const point = test.points[k - 1]!;
      rows.push({
        metric: `${metric} metric`,
        family: name,
        codec: `${name}, k = ${k}`,
        raw: point.rawBitRate,
        entropy: point.entropyBitRate,
        coded: point.codedBitRate,
        choose: choose.points[k - 1]!.rate,
        test: point,
      });
    }
  }
  return { rows, baseline: baseline! };
}

/** Accuracy on the test over raw bit rates, one line for each family of codecs. */
function drawRows(rows: readonly Row[], continuous: Score): Promise<string> {
  const values = rows.map(({ metric, family, raw, test }) => {
    const [low, high] = test.interval;
    return { metric, family, raw, rate: test.rate, low, high };
  });
  const accuracy = {
    field: 'rate',
    type: 'quantitative',
    title: 'accuracy on the test',
    axis: { format: '.0%' },
    scale: { zero: false },
  } as const;
  const encoding = {
    x: { field: 'raw', type: 'quantitative', title: 'raw bit/s' },
    y: accuracy,
    color: { field: 'metric', type: 'nominal', title: null, legend: { orient: 'bottom' } },
    detail: { field: 'family', type: 'nominal' },
  } as const;
  return draw({
    title: {
      text: 'CNN_L, cut after its second convolution',
      subtitle: 'codebooks by k-means in two metrics; bars are 95 % intervals',
    },
    width: 520,
    height: 320,
    background: 'white',
    layer: [
      {
        data: { values: [{ rate: continuous.rate }] },
        layer: [
          { mark: { type: 'rule', strokeDash: [6, 4], color: 'gray' }, encoding: { y: accuracy } },
          {
            mark: { type: 'text', text: 'continuous', align: 'right', dy: -7, x: 518, color: 'gray' },
            encoding: { y: accuracy },
          },
        ],
      },
      {
        data: { values },
        layer: [
          { mark: { type: 'line' }, encoding },
          {
            mark: { type: 'rule', opacity: 0.5 },
            encoding: { ...encoding, y: { ...accuracy, field: 'low' }, y2: { field: 'high' } },
          },
          { mark: { type: 'point', filled: true, size: 60 }, encoding },
        ],
      },
    ],
  });
}

for (const path of [WEIGHTS, RECORDINGS]) {
  if (existsSync(shared(path))) continue;
  console.error(
    `bench:keywords needs ${path} of the shared folder (ACOM_SHARED); it is not in ${shared('')}`,
  );
  process.exit(2);
}

const clips = await readClips();
const lines: string[] = [];
const begin = performance.now();

const networks = [];
for (const name of ['CNN_L', 'CNN_S', 'DS_CNN_S']) {
  const model = await importNetwork(name);
  const all = await evaluate(model, clips, name);
  const isKeyword = ({ label }: Clip) => !label.startsWith('_');
  const keywords = await evaluate(model, clips.filter(isKeyword), `${name}, keywords`);
  networks.push([
    name,
    scored(all.continuous),
    scored(keywords.continuous),
    ((all.deviceMacs + all.cloudMacs) / 1e6).toFixed(2),
  ]);
}

const network = await importNetwork('CNN_L');
const { rows, baseline } = await rowsOf(network, clips);
const ofSplit = (split: Split) =>
  clips.filter((clip) => clip.split === split && (split === 'fit' || !clip.isOld)).length;
const good = rows.filter(({ choose }) => choose >= baseline.choose.rate - 0.01);
const chosen = good.reduce<Row | undefined>(
  (best, row) => (best && best.coded <= row.coded ? best : row),
  undefined,
);
const markdown = (titles: readonly string[], body: readonly (readonly string[])[]): string[] => [
  `| ${titles.join(' | ')} |`,
  `| ${titles.map((_, i) => (i === 0 ? '---' : '---:')).join(' | ')} |`,
  ...body.map((cells) => `| ${cells.join(' | ')} |`),
];
const minutes = (performance.now() - begin) / 60_000;
lines.push(
  '# Keyword networks that ARM trained, and what they lose at under 200 bit/s',
  '',
  'Written by `npm run bench:keywords`, which needs the recordings and the networks of the shared folder. Recordings: Google',
  `Speech Commands (Warden, CC BY 4.0), ${count(clips.length)} clips of at most a second. Networks: ARM's Hello Edge (Zhang et al. 2018,`,
  `Apache 2.0), not trained here and not changed. ${describeMachine(thisMachine())}; ${minutes.toFixed(0)} minutes.`,
  '',
  '## As they are',
  '',
  ...markdown(['network', '12 classes, % (95 %)', '10 keywords, %', 'million multiply-adds'], networks),
  '',
  '## CNN_L, cut after its second convolution',
  '',
  `Codebooks by k-means on ${count(ofSplit('fit'))} clips; the rest are other speakers: ${count(ofSplit('choose'))} clips to choose by, ` +
    `${count(ofSplit('test'))} to test on. Noise clips share`,
  'their sources across the three. Bit rates are those of the test: raw is log2 of the codewords, coded is every byte of every',
  'file, of which each holds one second and spends 10 to 12 bytes on header, framing and checksum. The reader metric compares vectors as the',
  'linear layer behind the cut sees them ([reader-metric.ts](../src/training/reader-metric.ts)).',
  '',
  ...markdown(
    ['codec', 'raw bit/s', 'entropy', 'coded', 'choose, %', 'test, % (95 %)'],
    [
      ['continuous', '', '', '', percent(baseline.choose.rate), scored(baseline.test)],
      ...rows.map(({ codec, raw, entropy, coded, choose, test }) => [
        codec,
        ...[raw, entropy, coded].map((rate) => rate.toFixed(0)),
        percent(choose),
        scored(test),
      ]),
    ],
  ),
  '',
  chosen === undefined
    ? 'No codec stays within a point of the continuous network on the clips to choose by.'
    : `By the clips to choose by, the lowest rate within a point of the continuous network: **${chosen.codec}**, ` +
        `${chosen.coded.toFixed(0)} bit/s coded (${chosen.raw.toFixed(0)} raw). On the test it gets ${percent(chosen.test.rate)} %, ` +
        `the continuous network ${percent(baseline.test.rate)} %.`,
  '',
  '![accuracy over bit rate](keywords.svg)',
  '',
);
writeFileSync(join(repository, 'bench/keywords.svg'), await drawRows(rows, baseline.test));
writeFileSync(join(repository, 'bench/KEYWORDS.md'), lines.join('\n'));
console.log(lines.join('\n'));
