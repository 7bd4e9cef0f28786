/** The benchmark's batches as the trainer's threads see a workload: each batch is one set of items. */
import { constant, ctcLoss } from '../../src/autograd/index.js';
import { concatenate, keep, type Tensor, view } from '../../src/tensor/index.js';
import type { BatchLoss, Workload } from '../../src/training/run/workload.js';
import { batchNames, type TrainingFile, type Utterance } from './batch.js';

interface Prepared {
  readonly x: Tensor;
  readonly lengths: readonly number[];
  readonly targets: readonly (readonly number[])[];
}

/** Items of batch b are numbered from b · STRIDE on. */
const STRIDE = 1000;

/** Numbers of the items of a batch: of one of `parts` equal parts. */
export function itemsOf({ batches }: TrainingFile, name: string, part: number, parts: number): number[] {
  const count = batches.get(name)!.length;
  const first = STRIDE * batchNames.indexOf(name);
  // Dealt out in turn, so that lengths are alike in all parts
  return Array.from({ length: count }, (_, u) => u).flatMap((u) => (u % parts === part ? [first + u] : []));
}

/** A workload whose metrics are the seconds of its phases. Batches are kept, because reading is not what is timed. */
export function benchmarkWorkload({ network, mels, batches }: TrainingFile): Workload<Prepared> {
  const prepared = new Map<string, Prepared>();
  const utterance = (item: number): Utterance =>
    batches.get(batchNames[Math.floor(item / STRIDE)]!)![item % STRIDE]!;
  return {
    parameters: network.parameters,
    buffers: network.buffers,
    validationItems: 0,
    batches: () => [],
    describe: (item) => `utterance ${item}`,
    validate: () => ({}),
    score: () => ({ score: 0 }),
    async prepare(items) {
      const key = items.join();
      const known = prepared.get(key);
      if (known) return known;
      const chosen = items.map(utterance);
      const frames = chosen.reduce((sum, each) => sum + each.frames, 0);
      const batch = {
        x: keep(view(concatenate(chosen.map(({ features }) => features)), [frames, mels])),
        lengths: chosen.map((each) => each.frames),
        targets: chosen.map(({ labels }) => labels),
      };
      prepared.set(key, batch);
      return batch;
    },
    loss(pass, { x, lengths, targets }): BatchLoss {
      const begin = performance.now();
      const logits = network.suffix(pass, network.prefix(pass, { x: constant(x), lengths }));
      const computed = performance.now();
      const { loss } = ctcLoss(logits.x, logits.lengths, targets);
      const forward = (computed - begin) / 1e3;
      return { loss, metrics: { forward, loss: (performance.now() - computed) / 1e3 } };
    },
  };
}
