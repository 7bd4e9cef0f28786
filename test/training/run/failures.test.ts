/** What stops a run, and what a run refuses to begin with. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { TrainingError, UsageError } from '../../../src/tensor/index.js';
import { type TrainingProgress, type TrainOptions, train } from '../../../src/training/run/index.js';
import { repository } from '../../support/shared.js';
import { bytesOf, runToy, type ToyError, toy } from '../../support/toy-training.js';
import type { ToyOptions } from '../../support/toy-workload.js';

async function caught(t: Test, work: Promise<unknown>): Promise<TrainingError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  t.ok(error instanceof TrainingError, String(error));
  return error as TrainingError;
}

t.test('a loss that is no number stops the run, names files and leaves what is good', async (t) => {
  const folder = t.testdir({});
  const constant = { schedule: { kind: 'constant', rate: 0.01 } } as const;
  await train(toy(folder, {}, { ...constant, steps: 4, validateEvery: 2 }));
  const good = { last: bytesOf(folder), best: bytesOf(folder, 'best') };
  let step = 4;
  const options = {
    ...toy(folder, {}, { ...constant, steps: 30, resume: true }),
    // To the checkpoint, another module with the same options is the same run.
    workload: { module: join(repository, 'dist/test/support/toy-faults.js'), options: {} },
  };
  const check = (error: TrainingError | ToyError): void => {
    t.match(
      error.message,
      /^training: step \d+ \(\d items: toy\/\d+\.wav.*\): the loss is NaN; the last good/,
    );
    t.match(error.message, `of step ${step}; look at these files`);
    t.ok(error.files.includes('toy/4.wav') && error.files.length <= 3, String(error.files));
    t.equal(error.checkpoint, join(folder, 'last.safetensors'));
    t.ok(error.step! > step && error.step! <= step + 3);
    t.same(bytesOf(folder), good.last);
    t.same(bytesOf(folder, 'best'), good.best);
  };
  const onProgress = (progress: TrainingProgress): void => {
    if (progress.kind === 'checkpoint') {
      good.last = bytesOf(folder);
      step = progress.step;
    }
    if (progress.kind === 'validation' && progress.isBest) good.best = bytesOf(folder, 'best');
  };
  check(await caught(t, train({ ...options, onProgress })));
  check((await runToy({ ...options, workers: 2 })).at(-1) as ToyError);
});

t.test('other ends', async (t) => {
  const run = (options: ToyOptions, more: Partial<TrainOptions> = {}) =>
    caught(t, train(toy(t.testdir({}), options, more)));
  t.match((await run({ badItem: 3 }, { checkpointEvery: 9 })).message, /is NaN; there is no checkpoint yet/);
  t.match((await run({ steepItem: 3 })).message, /its gradient's norm (NaN|Infinity)/);
  t.match((await run({ noScore: true })).message, /step 4: the validation score is NaN/);
  const thrown = await run({ throwItem: 3 });
  t.match(thrown.message, /step \d+ \(5 items: .*a pass failed: a fault of the toy; /);
  t.ok(thrown.cause instanceof Error && /toy-workload/.test(thrown.cause.stack ?? ''));
  t.match((await run({ unreadableItem: 3 })).message, /item 3 could not be read/);
  t.match((await run({ items: 0 })).message, /epoch 0 has no batches/);
});

t.test('faults of worker threads', async (t) => {
  const folder = t.testdir({});
  const run = async (name: string, options: ToyOptions): Promise<ToyError> => {
    const last = (await runToy(toy(join(folder, name), options, { workers: 2 }))).at(-1);
    t.equal(last?.kind, 'error');
    return last as ToyError;
  };
  const thrown = await run('thrown', { throwItem: 3 });
  t.match(thrown.message, /step \d+ \(5 items: .*a pass failed: a fault of the toy; /);
  t.match(thrown.from, /toy-workload/);
  const ended = await run('ended', { exitItem: 3 });
  t.match(ended.message, /step \d+ .*: a pass failed: the worker thread ended with exit code 7/);
  t.match((await run('absent', { absentInWorkers: true })).message, /a worker did not start: no data here/);
});

t.test('what a run refuses to begin with', async (t) => {
  const folder = t.testdir({});
  await train(toy(folder, {}, { steps: 3 }));
  const before = bytesOf(folder);
  const refused = async (more: Partial<TrainOptions>, message: RegExp, options: ToyOptions = {}) => {
    const error: unknown = await train({ ...toy(folder, options, { steps: 3 }), ...more }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    t.ok(error instanceof UsageError, String(error));
    t.match((error as Error).message, message);
  };
  await refused({}, /last.safetensors is there already: resume/);
  await refused({ resume: true, seed: 4 }, /other settings \(seed\): seed was 3 and is 4/);
  await refused({ resume: true, steps: 9 }, /other settings \(steps\)/);
  await refused({ resume: true }, /other settings \(options\)/, { batch: 7 });
  await refused({ shards: 0 }, /shards is 0/);
  await refused({ epochs: 2 }, /by steps or by epochs/);
  await refused({ averaging: 2 }, /averaging is 2/);
  await refused(
    { workload: { module: join(repository, 'dist/test/support/shared.js') } },
    /no function create/,
  );
  t.same(bytesOf(folder), before);
});
