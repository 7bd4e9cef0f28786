/** The trainer on a toy: the same weights whatever runs it, and what it says. */
import { join } from 'node:path';
import t from 'tap';
import {
  readTrained,
  type StepProgress,
  type TrainingProgress,
  train,
} from '../../../src/training/run/index.js';
import { bytesOf, logOf, numbersOf, runToy, toy, weightsOf } from '../../support/toy-training.js';

t.test('the number of workers does not change the weights', async (t) => {
  const folder = t.testdir({});
  const [none, one, two] = ['none', 'one', 'two'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const result = await train(toy(none, {}, { shards: 3 }));
  t.equal(result.step, 17);
  t.notOk(result.aborted);
  for (const [out, workers] of [
    [one, 1],
    [two, 2],
  ] as const) {
    const records = await runToy(toy(out, {}, { shards: 3, workers }));
    t.match(records.at(-1), { kind: 'result', step: 17, aborted: false });
    t.same(bytesOf(out), bytesOf(none), `${workers} workers: weights, moments and averages`);
    t.same(bytesOf(out, 'best'), bytesOf(none, 'best'));
    t.same(logOf(out), logOf(none));
  }
  const other = await train(toy(t.testdir({ other: {} }), {}, { seed: 4 }));
  t.notSame(weightsOf(other), weightsOf(result), 'another seed');
});

t.test('it learns, and says what it does', async (t) => {
  const folder = t.testdir({});
  const said: TrainingProgress[] = [];
  const result = await train(
    toy(folder, {}, { steps: 200, validateEvery: 40, onProgress: (progress) => said.push(progress) }),
  );
  const losses = said.flatMap((each) => (each.kind === 'step' ? [each.loss] : []));
  t.equal(losses.length, 200);
  t.ok(losses.at(-1)! < 0.05 * losses[0]!, `${losses[0]} to ${losses.at(-1)}`);
  t.same(
    result.history.map(({ step }) => step),
    [40, 80, 120, 160, 200],
  );
  const scores = result.history.map(({ score }) => score);
  t.equal(result.best!.score, Math.max(...scores));
  const best = await readTrained(result.best!.file);
  t.equal(best.standing.step, result.best!.step);
  const last = await readTrained(result.file);
  t.same(numbersOf(last.parameters).sort(), numbersOf(result.parameters).sort(), 'averages are the result');
  t.same(last.standing.history, result.history);
  const step = said.filter((each): each is StepProgress => each.kind === 'step').at(-1)!;
  t.match(step, { step: 200, steps: 200, epoch: 39, learningRate: 0.001, secondsLeft: 0 });
  t.ok(step.gradientNorm > 0 && step.itemsPerSecond > 0 && step.smoothedLoss > 0);
  t.equal(said.filter(({ kind }) => kind === 'checkpoint').length, 67);
  t.equal(logOf(folder).length, 205);
});

t.test('a step is AdamW on the mean over items, whatever the shards', async (t) => {
  // Without noise of its own a batch gives the same gradient in one shard as in three, but for rounding.
  const folder = t.testdir({ one: {}, three: {} });
  const options = { steps: 1, averaging: null, seed: 5, checkpointEvery: 1 } as const;
  const norms: number[] = [];
  const onProgress = (progress: TrainingProgress) => {
    if (progress.kind === 'step') norms.push(progress.gradientNorm);
  };
  await train(toy(join(folder, 'one'), {}, { ...options, shards: 1, onProgress }));
  await train(toy(join(folder, 'three'), {}, { ...options, shards: 3, onProgress }));
  t.ok(Math.abs(norms[0]! - norms[1]!) < 0.05 * norms[0]!, String(norms));
});
