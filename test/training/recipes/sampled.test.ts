/** Targets that are drawn from what a network takes for likely. */
import { join } from 'node:path';
import t from 'tap';
import { constant } from '../../../src/autograd/index.js';
import { createRandom, zeros } from '../../../src/tensor/index.js';
import { COMMANDS, FRONT_END, LABELS, NETWORK } from '../../../src/training/recipes/commands/settings.js';
import { createWorkload } from '../../../src/training/recipes/commands/workload.js';
import { drawFrom } from '../../../src/training/recipes/draw-from.js';
import { writeTones } from '../../support/recipe-data.js';

t.test('classes are drawn as often as they are likely', async (t) => {
  const random = createRandom(4);
  const chances = [0.5, 0, 0.3, 0.2];
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 20_000; n++) counts[drawFrom(chances, random)]!++;
  counts.forEach((count, c) => {
    t.ok(Math.abs(count / 20_000 - chances[c]!) < 0.015, `class ${c}: ${count}`);
  });
  t.equal(counts[1], 0);
  t.equal(
    drawFrom([0.3, 0.3, 0.3], () => 0.99),
    2,
    'what rounding leaves over is the last one',
  );
});

t.test('of a recogniser what drawn alignments spell', async (t) => {
  const folder = t.testdir();
  const half = { seconds: 0.5, sampleRate: 8000 };
  const crowd = COMMANDS.map((label, n) => ({ label, speaker: `sc-${n}` }));
  writeTones(folder, 'kws-sc-16k', crowd, { seconds: 1, sampleRate: 16000 });
  writeTones(folder, 'fsdd-8k', [{ label: 'one', speaker: 'jackson', split: 'train' }], half);
  const voices = COMMANDS.map((label) => ({ label, speaker: 'espeak-ng-m1' }));
  writeTones(folder, 'synthetic-voices', voices, half);
  const all = (value: number): number[] => new Array<number>(FRONT_END.mels).fill(value);
  const workload = await createWorkload({
    data: folder,
    voices: join(folder, 'synthetic-voices'),
    frontEnd: FRONT_END,
    network: NETWORK,
    statistics: { mean: all(0), deviation: all(1) },
    batch: 2,
    batchesPerEpoch: 1,
    dropout: 0,
    shares: { crowd: 1, digits: 1, voices: 1 },
    coding: null,
  });
  const batch = await workload.prepare([0, 1], 'training', createRandom(1));
  // Sure of blank, 3, 3, blank, 3, 5; and of 7, 7.
  const said = [0, 3, 3, 0, 3, 5, 7, 7];
  const logits = zeros([said.length, LABELS.length]);
  said.forEach((label, n) => {
    logits.data[n * LABELS.length + label] = 50;
  });
  const steps = { x: constant(logits), lengths: [6, 2] };
  t.same(workload.sampled(steps, batch, createRandom(1)).targets, [[3, 3, 5], [7]]);
  const even = { x: constant(zeros([40, LABELS.length])), lengths: [20, 20] };
  const [first, second] = [1, 2].map((seed) => workload.sampled(even, batch, createRandom(seed)).targets);
  t.notSame(first, second, 'others for another seed');
  t.ok(first!.flat().every((label) => label > 0 && label < LABELS.length));
});
