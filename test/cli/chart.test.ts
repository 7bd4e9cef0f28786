/** The drawing of an evaluation, as a browser reads it: well-formed, complete, and with nothing outside of it. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import t from 'tap';
import { rateCurve } from '../../src/cli/chart.js';
import type { Evaluation, Score } from '../../src/evaluation/index.js';

const CHROMIUM = process.env['ACOM_CHROMIUM'] ?? '/usr/bin/chromium';

const score = (count: number, total: number, low: number, high: number): Score => ({
  count,
  total,
  rate: count / total,
  interval: [low, high],
});
const evaluation = (points: readonly (Score & { bits: number })[], continuous: Score): Evaluation => ({
  task: 'classification',
  metric: 'accuracy',
  model: 'a <model> & "more"',
  recordings: 1200,
  seconds: 100,
  continuous,
  points: points.map(({ bits, ...each }, n) => ({
    ...each,
    k: n + 1,
    rawBitRate: 1.2 * bits,
    entropyBitRate: 0.8 * bits,
    codedBitRate: bits,
  })),
  deviceMacs: 1,
  cloudMacs: 1,
  deviceSpeed: 1,
  cloudSpeed: 1,
});

const cases: Readonly<Record<string, Evaluation>> = {
  several: evaluation(
    [
      { ...score(600, 1200, 0.47, 0.53), bits: 30 },
      { ...score(960, 1200, 0.78, 0.82), bits: 60 },
      { ...score(1080, 1200, 0.88, 0.92), bits: 90 },
    ],
    score(1116, 1200, 0.91, 0.94),
  ),
  one: evaluation([{ ...score(960, 1200, 0.78, 0.82), bits: 60 }], score(1116, 1200, 0.91, 0.94)),
  'all right': evaluation([{ ...score(5, 5, 1, 1), bits: 60 }], score(5, 5, 1, 1)),
  'all wrong': evaluation([{ ...score(0, 5, 0, 0), bits: 60 }], score(0, 5, 0, 0.43)),
};

t.test('in Chromium', { skip: existsSync(CHROMIUM) ? false : `${CHROMIUM} is not installed` }, async (t) => {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    for (const [name, result] of Object.entries(cases)) {
      const svg = await rateCurve(result);
      const page = await browser.newPage();
      const seen = await page.evaluate((text) => {
        const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
        const error = parsed.querySelector('parsererror')?.textContent ?? '';
        document.body.innerHTML = text;
        const root = document.querySelector('svg')!;
        const bounds = root.getBoundingClientRect();
        const texts = [...root.querySelectorAll('text')].map((each) => ({
          text: each.textContent ?? '',
          box: each.getBoundingClientRect().toJSON() as {
            left: number;
            right: number;
            top: number;
            bottom: number;
          },
        }));
        const outside = texts.filter(
          ({ box }) =>
            box.left < bounds.left ||
            box.right > bounds.right ||
            box.top < bounds.top ||
            box.bottom > bounds.bottom,
        );
        const overlaps = texts.flatMap((a, i) =>
          texts.slice(i + 1).flatMap((b) => {
            const apart =
              a.box.right <= b.box.left + 1 ||
              b.box.right <= a.box.left + 1 ||
              a.box.bottom <= b.box.top + 3 ||
              b.box.bottom <= a.box.top + 3;
            return apart ? [] : [`${a.text} / ${b.text}`];
          }),
        );
        return {
          error,
          texts: texts.map((each) => each.text),
          outside: outside.map((each) => each.text),
          overlaps,
          symbols: root.querySelectorAll('.mark-symbol.role-mark path').length,
          numbers: /NaN|Infinity|undefined/.exec(text)?.[0] ?? '',
        };
      }, svg);
      await page.close();
      t.equal(seen.error, '', `${name}: well-formed`);
      t.equal(seen.numbers, '', `${name}: every number is one`);
      t.same(seen.outside, [], `${name}: nothing outside`);
      t.same(seen.overlaps, [], `${name}: no text on another`);
      t.equal(seen.symbols, 2 * result.points.length, `${name}: two points for each number of codebooks`);
      const labels = result.points.map(({ k }) => `k = ${k}`);
      for (const wanted of [
        'a <model> & "more": accuracy over bit rate',
        '1,200 recordings, k codebooks; bars and band: 95 % intervals',
        'bit rate in bit/s',
        'accuracy',
        'bits counted',
        'every byte of every file',
        'order-0 entropy of the indices',
        `uncut ${(100 * result.continuous.rate).toFixed(1)} %`,
        ...labels,
        ...labels,
      ]) {
        t.ok(seen.texts.includes(wanted), `${name}: ${wanted}`);
      }
    }
  } finally {
    await browser.close();
  }
});
