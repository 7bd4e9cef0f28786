/** The training benchmark: its file, how a batch is shared out, and that PyTorch gets the same loss and gradients. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { batchNames, openTrainingFile, trainingFile } from '../../bench/training/batch.js';
import { compareGradients } from '../../bench/training/compare.js';
import { startOurs } from '../../bench/training/ours.js';
import { startTorch } from '../../bench/training/torch.js';
import { itemsOf } from '../../bench/training/workload.js';

t.test('what is written is read again, and every utterance is in one part', async (t) => {
  const path = join(t.testdir({}), 'training.safetensors');
  writeFileSync(path, trainingFile());
  const file = openTrainingFile(path);
  t.same([...file.batches.keys()], batchNames);
  for (const [name, utterances] of file.batches) {
    t.equal(utterances.length, 16);
    for (const { features, frames, labels } of utterances) {
      t.equal(features.length, frames * file.mels);
      t.ok(labels.length >= 2 && labels.every((label) => label >= 1 && label <= 20), 'labels of words');
    }
    const parts = [0, 1].map((part) => itemsOf(file, name, part, 2));
    t.same(
      parts.flat().sort((a, b) => a - b),
      itemsOf(file, name, 0, 1),
    );
  }
});

t.test('loss and gradients are those of PyTorch, on one thread and on two', async (t) => {
  const path = join(t.testdir({}), 'training.safetensors');
  writeFileSync(path, trainingFile());
  const torch = await startTorch(path, [1]).catch((error: unknown) => error as Error);
  if (torch instanceof Error) {
    t.match(torch.message, /install (it with: apt-get install )?python3-torch/);
    t.comment(`not compared: ${torch.message}`);
    return;
  }
  t.teardown(() => torch.stop());
  // What is compared is what our threads add up to; PyTorch's would only wait for one another here.
  const theirs = { ...torch, pass: (batch: string) => torch.pass(batch, 1) };
  const ours = await startOurs(path, 2);
  t.teardown(() => ours.stop());
  for (const batch of batchNames) {
    for (const threads of [1, 2]) {
      await t.resolves(compareGradients(batch, threads, ours, theirs), `${batch}, ${threads} threads`);
    }
  }
});
