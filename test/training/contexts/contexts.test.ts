/** Contexts that are learned from codewords of a known source, and the file that they go into. */
import t from 'tap';
import { readSafetensors } from '../../../src/checkpoints/index.js';
import { loadCodecModel } from '../../../src/codec/index.js';
import {
  Adaptive,
  Context,
  encodeRun,
  FrequencyTable,
  frequenciesFromCounts,
} from '../../../src/entropy/index.js';
import { createRandom } from '../../../src/tensor/index.js';
import { learnContexts, MOST_CONTEXT_BYTES } from '../../../src/training/contexts/index.js';
import { leafOrder } from '../../../src/training/contexts/leaf-order.js';
import { LogBilinear } from '../../../src/training/contexts/log-bilinear.js';

const [STAGES, CODEWORDS, WIDTH] = [2, 16, 3];

/** Each first codeword is the one before it or its neighbour, each second one follows from the first, one time in eight they are anything. */
function recording(random: () => number, vectors: number): Int32Array {
  const codes = new Int32Array(vectors * STAGES);
  for (let n = 0; n < vectors; n++) {
    const any = () => Math.floor(CODEWORDS * random());
    const before = n === 0 ? any() : codes[(n - 1) * STAGES]!;
    codes[n * STAGES] = random() < 1 / 8 ? any() : (before + 1 + Math.floor(2 * random())) % CODEWORDS;
    codes[n * STAGES + 1] = random() < 1 / 8 ? any() : (3 * codes[n * STAGES]!) % CODEWORDS;
  }
  return codes;
}

const random = createRandom(5);
const codebooks = {
  data: Float32Array.from({ length: STAGES * CODEWORDS * WIDTH }, () => random() - 0.5),
  stages: STAGES,
  codewords: CODEWORDS,
  width: WIDTH,
};
const recordings = Array.from({ length: 120 }, () => recording(random, 40));
const others = Array.from({ length: 40 }, () => recording(random, 200));

t.test('what is learned comes near what the source is known to need', async (t) => {
  const tables = learnContexts(recordings, codebooks)!;
  t.same([tables.stages, tables.codewords, tables.dimensions], [STAGES, CODEWORDS, 16]);
  const counts = Array.from({ length: STAGES }, () => new Float64Array(CODEWORDS).fill(1));
  for (const codes of recordings) {
    for (let i = 0; i < codes.length; i++) counts[i % STAGES]![codes[i]!]!++;
  }
  const plain = new Adaptive(counts.map((each) => new FrequencyTable(frequenciesFromCounts(each))));
  const bits = (model: Adaptive | Context) =>
    others.reduce((sum, indices) => sum + 8 * encodeRun({ indices, stages: STAGES }, model).length, 0) /
    (others.length * 200);
  // Of a vector: one of two with 7/16 + 1/128 each, else one of 16; then one with 7/8 + 1/128, else one of 16.
  const share = (p: number) => -p * Math.log2(p);
  const [likely, first, rest] = [7 / 8 + 1 / 128, 7 / 16 + 1 / 128, 1 / 128];
  const source = 2 * share(first) + 14 * share(rest) + share(likely) + 15 * share(rest);
  t.ok(bits(plain) > 7.5, `${bits(plain).toFixed(2)} bits a vector without contexts`);
  t.ok(bits(new Context(tables)) > source - 0.05, 'no less than there is');
  t.ok(
    bits(new Context(tables)) < source + 0.5,
    `${bits(new Context(tables)).toFixed(2)} of ${source.toFixed(2)}`,
  );
});

t.test(
  'the same codewords teach the same tables; too few, or such as depend on nothing, teach none',
  async (t) => {
    t.same(
      learnContexts(recordings, codebooks, { epochs: 2 }),
      learnContexts(recordings, codebooks, { epochs: 2 }),
    );
    t.equal(learnContexts(recordings.slice(0, 20), codebooks), null);
    const noise = recordings.map((codes) => codes.map(() => Math.floor(CODEWORDS * random())));
    t.equal(learnContexts(noise, codebooks, { epochs: 4 }), null);
  },
);

t.test('gradients of the log-bilinear model: against differences', async (t) => {
  const leaves = Int16Array.from({ length: STAGES * CODEWORDS }, (_, i) => i % CODEWORDS);
  const shape = { stages: STAGES, codewords: CODEWORDS, depth: 4, dimensions: 4 };
  const codes = recordings[0]!.slice(0, 2 * STAGES);
  const made = () => new LogBilinear(shape, leaves, new Float64Array(STAGES << 4), 3);
  const loss = (model: LogBilinear) => model.pass(codes, 0, 0);
  // A pass in steps that are next to nothing goes down by the gradients' squares, weighed by each row's step.
  const before = made();
  const after = made();
  const rate = 1e-5;
  after.pass(codes, rate, 0);
  t.ok(loss(after) < loss(before), 'downhill');
  for (const rows of ['nodes', 'previous', 'second', 'earlier'] as const) {
    const moved = after[rows].values.map((value, i) => value - before[rows].values[i]!);
    const at = moved.reduce((best, value, i) => (Math.abs(value) > Math.abs(moved[best]!) ? i : best), 0);
    const slope = (delta: number) => {
      const model = made();
      model[rows].values[at]! += delta;
      return loss(model);
    };
    const difference = (slope(1e-4) - slope(-1e-4)) / 2e-4;
    t.ok(
      Math.sign(difference) === -Math.sign(moved[at]!),
      `${rows}: against the slope ${difference.toFixed(4)}`,
    );
  }
});

t.test('leaves: a permutation, whose halves are apart', async (t) => {
  const line = Float32Array.from({ length: 16 * 2 }, (_, i) => (i % 2 === 0 ? ((i / 2) * 7) % 16 : 0));
  const leaves = leafOrder(line, 16, 2, 4);
  t.same(
    [...leaves].sort((a, b) => a - b),
    Array.from({ length: 16 }, (_, v) => v),
  );
  const low = [...leaves].flatMap((leaf, v) => (leaf < 8 ? [line[2 * v]!] : []));
  const high = [...leaves].flatMap((leaf, v) => (leaf >= 8 ? [line[2 * v]!] : []));
  t.ok(Math.max(...low) < Math.min(...high) || Math.max(...high) < Math.min(...low));
  t.same([...leafOrder(new Float32Array(10), 5, 2, 3)].sort(), [0, 1, 2, 4, 6], 'five alike in eight leaves');
});

t.test('the shipped models have contexts, within their budget', async (t) => {
  const { readFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { repository } = await import('../../support/shared.js');
  for (const name of ['commands', 'keywords', 'esc10']) {
    const bytes = new Uint8Array(readFileSync(join(repository, `weights/${name}.safetensors`)));
    const { tensors } = readSafetensors(bytes);
    const sizes = [...tensors].flatMap(([key, { data }]) =>
      key.startsWith('entropy.context.') ? [data.byteLength] : [],
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    t.equal(sizes.length, 6);
    t.ok(total > 0 && total <= MOST_CONTEXT_BYTES, `${name}: ${total} bytes`);
    t.equal((await (await loadCodecModel(bytes)).deviceEncoder()).coder.coding, 'context');
  }
});
