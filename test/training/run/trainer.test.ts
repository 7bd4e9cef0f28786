/** The trainer on a toy: the same weights whatever runs it, exact resumption, and what stops it. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readSafetensors } from '../../../src/checkpoints/index.js';
import { flat, type Tensor, TrainingError, UsageError } from '../../../src/tensor/index.js';
import {
  readTrained,
  type StepProgress,
  type TrainingProgress,
  type TrainOptions,
  type TrainResult,
  train,
} from '../../../src/training/run/index.js';
import { plainEnvironment } from '../../support/cli.js';
import { repository } from '../../support/shared.js';
import type { ToyOptions } from '../../support/toy-workload.js';

const module = join(repository, 'dist/test/support/toy-workload.js');

const toy = (out: string, options: ToyOptions, more: Partial<TrainOptions> = {}): TrainOptions => ({
  workload: { module, options },
  out,
  steps: 17,
  schedule: { kind: 'cosine', rate: 0.05, warmup: 3, floor: 0.001 },
  validateEvery: 4,
  checkpointEvery: 3,
  validationItems: 5,
  workers: 0,
  averaging: 0.9,
  seed: 3,
  ...more,
});

const numbersOf = (tensors: ReadonlyMap<string, Tensor>) =>
  [...tensors].map(([name, tensor]) => [name, [...flat(tensor)]]);
const weightsOf = ({ parameters, buffers }: TrainResult) => [...numbersOf(parameters), ...numbersOf(buffers)];

/** A checkpoint as bytes: two that are equal hold the same numbers, moments and all. */
const bytesOf = (folder: string, name = 'last') => readFileSync(join(folder, `${name}.safetensors`));

/** Lines of the log without what clocks said. */
const logOf = (folder: string) =>
  readFileSync(join(folder, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { itemsPerSecond, seconds, ...record } = JSON.parse(line) as Record<string, unknown>;
      return record;
    });

async function caught(t: Test, work: Promise<unknown>): Promise<TrainingError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  t.ok(error instanceof TrainingError, String(error));
  return error as TrainingError;
}

t.test('the number of workers does not change the weights', async (t) => {
  const folders = [t.testdir({ none: {}, one: {}, two: {} })].flatMap((folder) =>
    ['none', 'one', 'two'].map((name) => join(folder, name)),
  );
  const results: TrainResult[] = [];
  for (const [workers, folder] of folders.entries()) {
    results.push(await train(toy(folder, {}, { workers, shards: 3 })));
  }
  t.equal(results[0]!.step, 17);
  t.notOk(results[0]!.aborted);
  for (const n of [1, 2]) {
    t.same(weightsOf(results[n]!), weightsOf(results[0]!), `${n} workers`);
    t.same(bytesOf(folders[n]!), bytesOf(folders[0]!), `${n} workers: the checkpoint`);
    t.same(bytesOf(folders[n]!, 'best'), bytesOf(folders[0]!, 'best'));
    t.same(logOf(folders[n]!), logOf(folders[0]!));
  }
  const other = await train(toy(t.testdir({ other: {} }), {}, { seed: 4 }));
  t.notSame(weightsOf(other), weightsOf(results[0]!), 'another seed');
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

/** Runs the toy in a process of its own and ends that when it has said `until`. */
async function killed(options: TrainOptions, file: string, until: (progress: TrainingProgress) => boolean) {
  writeFileSync(file, JSON.stringify(options));
  const child = spawn('node', [join(repository, 'dist/test/support/toy-run.js'), file], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let isOver = false;
  child.stdout.on('data', (part: Buffer) => {
    text += part;
    const lines = text.split('\n').slice(0, -1);
    if (isOver || !lines.some((line) => until(JSON.parse(line) as TrainingProgress))) return;
    isOver = true;
    child.kill('SIGKILL');
  });
  return new Promise<string | null>((done) => child.on('close', (_, signal) => done(signal)));
}

t.test('a run that is killed in mid-epoch goes on to the same weights', async (t) => {
  const folder = t.testdir({ whole: {}, killed: {} });
  const [whole, stopped] = [join(folder, 'whole'), join(folder, 'killed')];
  // An epoch has 5 batches, the last checkpoint before step 8 is of step 6, a validation was at 4.
  const options = { slow: 20 };
  await train(toy(whole, {}, {}));
  const signal = await killed(
    toy(stopped, options, { workers: 2 }),
    join(folder, 'options.json'),
    (progress) => progress.kind === 'step' && progress.step === 8,
  );
  t.equal(signal, 'SIGKILL');
  t.equal((await readTrained(join(stopped, 'last.safetensors'))).standing.step, 6);
  // A line that was not finished, and half a checkpoint.
  writeFileSync(join(stopped, 'log.jsonl'), '{"kind":"st', { flag: 'a' });
  writeFileSync(join(stopped, 'last.safetensors.part'), bytesOf(stopped).subarray(0, 300));
  const said: TrainingProgress[] = [];
  await train(
    toy(stopped, options, { resume: true, workers: 1, onProgress: (progress) => said.push(progress) }),
  );
  t.match(said[0], { kind: 'resumed', step: 6 });
  const tensors = (path: string) =>
    [...readSafetensors(bytesOf(path)).tensors].map(([name, { data }]) => [
      name,
      [...(data as Float32Array)],
    ]);
  t.same(tensors(stopped), tensors(whole));
  t.same(logOf(stopped), logOf(whole));
  t.notOk(existsSync(join(stopped, 'last.safetensors.part')));
});

t.test('a signal ends a run after its step; it goes on to the same weights', async (t) => {
  const folder = t.testdir({ whole: {}, stopped: {} });
  await train(toy(join(folder, 'whole'), {}));
  const stopped = join(folder, 'stopped');
  // At 8 a validation is due: it is done by the run that goes on.
  for (const at of [2, 8, 17]) {
    const controller = new AbortController();
    const result = await train(
      toy(
        stopped,
        {},
        {
          resume: true,
          signal: controller.signal,
          onProgress: (progress) => {
            if (progress.kind === 'step' && progress.step === at) controller.abort();
          },
        },
      ),
    );
    t.ok(result.aborted);
    t.equal(result.step, at);
    t.equal((await readTrained(join(stopped, 'last.safetensors'))).standing.step, at);
  }
  const result = await train(toy(stopped, {}, { resume: true }));
  t.notOk(result.aborted);
  t.same(bytesOf(stopped), bytesOf(join(folder, 'whole')));
  t.same(logOf(stopped), logOf(join(folder, 'whole')));
  t.equal((await train(toy(stopped, {}, { resume: true }))).step, 17, 'nothing is left to do');
});

t.test('a loss that is no number stops the run and names files', async (t) => {
  const folder = t.testdir({});
  await train(toy(folder, {}, { schedule: { kind: 'constant', rate: 0.01 }, steps: 6 }));
  const before = [
    bytesOf(folder),
    bytesOf(folder, 'best'),
    statSync(join(folder, 'last.safetensors')).mtimeMs,
  ];
  for (const workers of [0, 1]) {
    const error = await caught(
      t,
      train(
        toy(
          folder,
          {},
          {
            schedule: { kind: 'constant', rate: 0.01 },
            steps: 30,
            resume: true,
            workers,
            // Another module with the same options is the same run to the checkpoint.
            workload: { module: join(repository, 'dist/test/support/toy-faults.js'), options: {} },
          },
        ),
      ),
    );
    t.match(
      error.message,
      /^training: step \d+ \(\d items: toy\/\d+\.wav.*\): the loss is NaN; the last good/,
    );
    t.ok(error.files.includes('toy/4.wav') && error.files.length <= 3, String(error.files));
    t.equal(error.checkpoint, join(folder, 'last.safetensors'));
    t.ok(error.step! > 6);
  }
  t.ok((await readTrained(join(folder, 'best.safetensors'))).standing.step <= 6);
  t.ok(before.length > 0);
});

t.test('other ends', async (t) => {
  const run = (options: ToyOptions, more: Partial<TrainOptions> = {}) =>
    caught(t, train(toy(t.testdir({}), options, more)));
  t.match((await run({ badItem: 3 })).message, /the loss is NaN; there is no checkpoint yet|of step 3; look/);
  t.match((await run({ steepItem: 3 })).message, /its gradient's norm (NaN|Infinity)/);
  t.match((await run({ noScore: true })).message, /step 4: the validation score is NaN/);
  for (const workers of [0, 1]) {
    const thrown = await run({ throwItem: 3 }, { workers });
    t.match(thrown.message, /step \d+ \(5 items: .*a worker failed: a fault of the toy; /);
    t.ok(thrown.cause instanceof Error && /toy-workload/.test(thrown.cause.stack ?? ''));
    t.match((await run({ unreadableItem: 3 }, { workers })).message, /item 3 could not be read/);
  }
  t.match((await run({ exitItem: 3 }, { workers: 1 })).message, /the worker thread ended with exit code 7/);
  t.match((await run({ items: 0 })).message, /epoch 0 has no batches/);
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
