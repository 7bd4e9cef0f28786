/** Runs that were ended, by a kill or a signal, go on as if nothing had happened. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readSafetensors } from '../../../src/checkpoints/index.js';
import { readTrained, train } from '../../../src/training/run/index.js';
import { bytesOf, logOf, runToy, toy } from '../../support/toy-training.js';

t.test('a run that is killed in mid-epoch goes on to the same weights', async (t) => {
  const folder = t.testdir({ whole: {}, killed: {} });
  const [whole, stopped] = [join(folder, 'whole'), join(folder, 'killed')];
  // An epoch has 5 batches, the last checkpoint before step 8 is of step 6, a validation was at 4.
  const options = { slow: 20 };
  await train(toy(whole, {}, {}));
  const records = await runToy(toy(stopped, options, { workers: 2 }), (record, child) => {
    if (record.kind === 'step' && record.step === 8) child.kill('SIGKILL');
  });
  t.notOk(records.some(({ kind }) => kind === 'result'));
  t.equal((await readTrained(join(stopped, 'last.safetensors'))).standing.step, 6);
  // A line that was not finished, and half a checkpoint.
  writeFileSync(join(stopped, 'log.jsonl'), '{"kind":"st', { flag: 'a' });
  writeFileSync(join(stopped, 'last.safetensors.part'), bytesOf(stopped).subarray(0, 300));
  const said = await runToy(toy(stopped, options, { resume: true, workers: 1 }));
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
