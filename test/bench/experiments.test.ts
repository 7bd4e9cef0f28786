/** The measures of the experiments against what is known of made-up numbers. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { spearman } from '../../bench/experiments/correlation.js';
import { errorOf } from '../../bench/experiments/figures.js';
import { mutualInformation } from '../../bench/experiments/information.js';
import { makeReport } from '../../bench/experiments/report/index.js';
import { spectrumOf } from '../../bench/experiments/spectrum.js';
import { createNormal, createRandom } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';

/** Labels, and codes that are the label with a chance of 1 - `noise`, else any. */
function channel(count: number, symbols: number, noise: number, seed: number): [number[], number[]] {
  const random = createRandom(seed);
  const any = (): number => Math.floor(random() * symbols);
  const labels = Array.from({ length: count }, any);
  return [labels.map((label) => (random() < noise ? any() : label)), labels];
}

/** log2 n - H(code | label) of such a channel. */
function knownBits(symbols: number, noise: number): number {
  const other = noise / symbols;
  const same = 1 - noise + other;
  const conditional = -same * Math.log2(same) - (symbols - 1) * (other > 0 ? other * Math.log2(other) : 0);
  return Math.log2(symbols) - conditional;
}

t.test('mutual information of channels that are known', async (t) => {
  for (const [symbols, noise, pairs] of [
    [8, 0.5, 800],
    [16, 0.2, 4000],
    [4, 1, 200],
  ] as const) {
    const known = knownBits(symbols, noise);
    // So few pairs that the plain estimate is off by (symbols - 1)² / 2N nats.
    const runs = Array.from(
      { length: 20 },
      (_, seed) => mutualInformation(...channel(pairs, symbols, noise, seed + 1)).bits,
    );
    const mean = runs.reduce((sum, bits) => sum + bits, 0) / runs.length;
    t.ok(Math.abs(mean - known) < 0.03, `${symbols} symbols, noise ${noise}: ${mean}, ${known} bits`);
  }
  const [, labels] = channel(1000, 8, 0, 1);
  const { bits, labelBits } = mutualInformation(labels, labels);
  t.ok(Math.abs(bits - labelBits) < 0.01, 'a code that is the label tells all of it');
  t.same(mutualInformation([], []), { bits: 0, labelBits: 0, pairs: 0 });
  t.throws(() => mutualInformation([1], []), RangeError);
});

t.test('rank correlation', async (t) => {
  t.equal(spearman([1, 2, 3, 4], [10, 20, 30, 4000]), 1);
  t.equal(spearman([1, 2, 3, 4], [4, 3, 2, 1]), -1);
  // Ranks 1, 2.5, 2.5, 4, 5 and 2, 1, 3.5, 3.5, 5: by hand 7.25 / 9.5.
  t.ok(Math.abs(spearman([1, 2, 2, 3, 5], [2, 1, 4, 4, 5]) - 7.25 / 9.5) < 1e-12);
  t.ok(Number.isNaN(spearman([1, 1, 1], [1, 2, 3])));
});

t.test('a spectrum of directions that are known', async (t) => {
  const normal = createNormal(createRandom(3));
  const deviations = [3, 2, 1, 0.5];
  const width = deviations.length;
  const vectors = Float32Array.from(
    { length: 20_000 * width },
    (_, i) => 7 + deviations[i % width]! * normal(),
  );
  const { shares, effectiveRank, ninety } = spectrumOf(vectors, width);
  const total = deviations.reduce((sum, d) => sum + d * d, 0);
  const wanted = deviations.map((d) => (d * d) / total);
  shares.forEach((share, d) => {
    t.ok(Math.abs(share - wanted[d]!) < 0.01, `${share}, ${wanted[d]}`);
  });
  const nats = wanted.reduce((sum, p) => sum - p * Math.log(p), 0);
  t.ok(Math.abs(effectiveRank - Math.exp(nats)) < 0.05);
  t.equal(ninety, 2);
  t.same(spectrumOf(new Float32Array(8), 4), { shares: [0, 0, 0, 0], effectiveRank: 0, ninety: 0 });
});

t.test('errors of both kinds of task', async (t) => {
  const score = { count: 30, total: 40, interval: [0.6, 0.85] as const };
  t.same(errorOf(score, 'word error rate'), { error: 0.75, low: 0.6, high: 0.85 });
  const { error, low, high } = errorOf(score, 'accuracy');
  t.same(
    [error, low, high].map((x) => Number(x.toFixed(6))),
    [0.25, 0.15, 0.4],
  );
});

t.test('the report is that of the results', async (t) => {
  const folder = join(repository, 'bench/experiments');
  const { text, figures } = await makeReport();
  t.equal(readFileSync(join(folder, 'README.md'), 'utf8'), text, 'npm run experiments:report makes it again');
  for (const [, name] of text.matchAll(/\(figures\/(\w+)\.svg\)/g)) {
    t.match(figures.get(name!), /^<svg /);
    t.ok(existsSync(join(folder, `figures/${name}.svg`)), name!);
  }
});
