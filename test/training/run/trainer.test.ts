/** The trainer on a toy: the same weights whatever runs it, and what it says. */
import { join } from 'node:path';
import t from 'tap';
import { flat } from '../../../src/tensor/index.js';
import {
  readTrained,
  type StepProgress,
  type TrainingProgress,
  train,
} from '../../../src/training/run/index.js';
import { bytesOf, logOf, numbersOf, runToy, toy, weightsOf } from '../../support/toy-training.js';
import { createWorkload, itemOf } from '../../support/toy-workload.js';

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

t.test('steps are those of the formulas in float64', async (t) => {
  const folder = t.testdir({});
  const options = { noise: 0, items: 12, batch: 6 };
  const more = {
    clip: 2,
    averaging: 0.6,
    checkpointEvery: 1,
    optimizer: { beta2: 0.95, decay: 0.3 },
  } as const;
  const run = (name: string, steps: number, shards: number) => {
    const schedule = { kind: 'constant', rate: 0.02, warmup: 4 } as const;
    return train(toy(join(folder, name), options, { ...more, steps, shards, schedule }));
  };
  const start = await readTrained((await run('start', 0, 1)).file);
  const read = (name: string) => [...flat(start.parameters.get(name)!)];
  // y = (1.5 S + B A) x + B a: skip.weight S, first.weight A and bias a, second.weight B.
  const weights = [
    read('skip.weight'),
    read('first.weight'),
    read('second.weight'),
    read('first.bias'),
  ] as const satisfies readonly number[][];
  const averages = weights.map((each) => [...each]);
  const moments = weights.map((each) => each.map(() => [0, 0] as [number, number]));
  const { batches } = await createWorkload(options);
  const clipped: boolean[] = [];
  for (let step = 1; step <= 6; step++) {
    const batch = batches(Math.floor((step - 1) / 2), 3)[(step - 1) % 2]!;
    const [S, A, B, a] = weights;
    const gradients = weights.map((each) => each.map(() => 0));
    for (const { x, target } of batch.map((item) => itemOf(item))) {
      const h = a.map((bias, j) => x.reduce((sum, value, i) => sum + A[6 * j + i]! * value, bias));
      target.forEach((wanted, o) => {
        const skip = x.reduce((sum, value, i) => sum + 1.5 * S[6 * o + i]! * value, 0);
        const dy =
          (2 * (h.reduce((sum, value, j) => sum + B[8 * o + j]! * value, skip) - wanted)) / batch.length;
        for (const [i, value] of x.entries()) gradients[0]![6 * o + i]! += 1.5 * dy * value;
        for (const [j, value] of h.entries()) {
          gradients[2]![8 * o + j]! += dy * value;
          gradients[3]![j]! += dy * B[8 * o + j]!;
          for (const [i, input] of x.entries()) gradients[1]![6 * j + i]! += dy * B[8 * o + j]! * input;
        }
      });
    }
    const factor = Math.min(1, 2 / Math.hypot(...gradients.flat()));
    clipped.push(factor < 1);
    const rate = Math.min(0.02, 0.005 * step);
    for (const [n, each] of weights.entries()) {
      for (let i = 0; i < each.length; i++) {
        const g = factor * gradients[n]![i]!;
        const moment = moments[n]![i]!;
        moment[0] = 0.9 * moment[0] + 0.1 * g;
        moment[1] = 0.95 * moment[1] + 0.05 * g * g;
        const direction = moment[0] / (1 - 0.9 ** step) / (Math.sqrt(moment[1] / (1 - 0.95 ** step)) + 1e-8);
        each[i]! -= rate * (direction + (n === 3 ? 0 : 0.3 * each[i]!));
        const kept = Math.min(0.6, (1 + step) / (10 + step));
        averages[n]![i] = kept * averages[n]![i]! + (1 - kept) * each[i]!;
      }
    }
  }
  t.ok(clipped.includes(true) && clipped.includes(false), `clipped: ${clipped}`);
  for (const shards of [1, 3]) {
    const { parameters } = await run(`shards ${shards}`, 6, shards);
    for (const [n, name] of ['skip.weight', 'first.weight', 'second.weight', 'first.bias'].entries()) {
      const worst = Math.max(
        ...flat(parameters.get(name)!).map((value, i) => Math.abs(value - averages[n]![i]!)),
      );
      t.ok(worst < 2e-6, `${shards} shards: ${name} is off by ${worst}`);
    }
  }
});
