/** A conformer in chunks: the same alone and among others, in one go and as a stream, in training and afterwards. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { constant } from '../../src/autograd/index.js';
import { readSafetensors } from '../../src/checkpoints/index.js';
import {
  type ChunkConfig,
  type ConformerCtcConfig,
  ConformerPrefix,
  ConformerSuffix,
  checkConformerCtc,
  checkEncoder,
  Parameters,
} from '../../src/nn/index.js';
import { logSoftmax } from '../../src/ops/index.js';
import {
  concatenate,
  contiguous,
  createRandom,
  flat,
  ModelError,
  type Tensor,
  view,
} from '../../src/tensor/index.js';
import { trainableConformer } from '../../src/training/networks/conformer.js';
import { checkGradients, randomTensor } from '../support/gradients.js';
import { initialNumbers, passOf } from '../support/passes.js';
import { repository } from '../support/shared.js';

const { tensors, metadata } = readSafetensors(readFileSync(join(repository, 'weights/commands.safetensors')));
const shipped = (JSON.parse(metadata.get('config')!) as { network: ConformerCtcConfig }).network;

const chunked = (chunks: ChunkConfig): ConformerCtcConfig => ({
  ...shipped,
  encoder: { ...shipped.encoder, chunks },
});
const prefixOf = (config: ConformerCtcConfig, split: number) =>
  new ConformerPrefix(new Parameters(tensors), config, split);
const suffixOf = (config: ConformerCtcConfig, split: number) =>
  new ConformerSuffix(new Parameters(tensors), config, split);
const features = (seed: number, frames: number): Tensor =>
  randomTensor(createRandom(seed), 1, frames, shipped.frontEnd.mels);
const bits = (x: Tensor): Int32Array => new Int32Array(Float32Array.from(flat(x)).buffer);

function largestGap(a: Float32Array, b: Float32Array): number {
  let gap = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) gap = Math.max(gap, Math.abs(a[i]! - b[i]!));
  return gap;
}

t.test('a chunk of everything is the whole recording', async (t) => {
  const x = features(1, 203);
  const whole = prefixOf(shipped, 3).forward(x);
  const once = prefixOf(chunked({ frames: 64, past: 0 }), 3).forward(x);
  t.same(once.shape, whole.shape);
  t.ok(largestGap(flat(once), flat(whole)) < 1e-5);
});

t.test('training cuts recordings into windows; the codec goes through them with a memory', async (t) => {
  const lengths = [64, 201, 9, 130, 3];
  const each = lengths.map((frames, n) => features(10 + n, frames));
  const x = view(concatenate(each.map(flat)), [lengths.reduce((a, b) => a + b, 0), shipped.frontEnd.mels]);
  for (const chunks of [
    { frames: 8, past: 24 },
    { frames: 8, past: 0 },
    { frames: 3, past: 5 },
  ]) {
    const config = chunked(chunks);
    for (const split of [0, 3]) {
      const network = trainableConformer(config, split, { dropout: 0 });
      const pass = passOf(tensors as ReadonlyMap<string, Tensor>);
      const cut = network.prefix(pass, { x: constant(x), lengths });
      const trained = network.suffix(pass, cut);
      const [prefix, suffix] = [prefixOf(config, split), suffixOf(config, split)];
      const steps = each.map((one) => prefix.forward(one));
      const logProbs = steps.map((one) => suffix.forward(one));
      const gap = largestGap(flat(logSoftmax(trained.x.value)), concatenate(logProbs.map(flat)));
      t.ok(gap < 5e-4, `chunks of ${chunks.frames} after ${chunks.past}, cut ${split}: ${gap}`);
      t.ok(largestGap(flat(cut.x.value), concatenate(steps.map(flat))) < 5e-5);
    }
  }
});

t.test('gradients of chunks are those of their values', async (t) => {
  const small: ConformerCtcConfig = {
    type: 'speechbrain-conformer-ctc',
    frontEnd: { mels: 6, channels: [3, 2], kernelSizes: [3, 3], strides: [2, 2] },
    encoder: {
      width: 6,
      heads: 2,
      layers: 1,
      feedForward: 7,
      depthwiseTaps: 3,
      chunks: { frames: 2, past: 3 },
    },
    classes: 4,
    head: '2',
  };
  const network = trainableConformer(small, 0, { dropout: 0 });
  const numbers = initialNumbers(network, 4);
  const layer = '1.encoder.layers.0';
  const names = [`${layer}.mha_layer.in_proj_weight`, `${layer}.convolution_module.conv.weight`];
  checkGradients(t, 'a layer in chunks', {
    inputs: [randomTensor(createRandom(5), 9, 6), ...names.map((name) => numbers.get(name)!)],
    f: (x, ...weights) => {
      const pass = passOf(numbers, { variables: false });
      const parameter = (name: string) => weights[names.indexOf(name)] ?? pass.parameter(name);
      return network.suffix({ ...pass, parameter }, { x, lengths: [7, 2] }).x;
    },
  });
});

t.test('a stream gives the same bits alone and among others', async (t) => {
  const config = chunked({ frames: 8, past: 24 });
  const [prefix, suffix] = [prefixOf(config, 3), suffixOf(config, 3)];
  const { chunks } = prefix;
  if (!chunks || !suffix.chunks) throw new Error('these networks run in chunks');
  t.same([chunks.steps, chunks.stride, chunks.context], [8, 4, 1]);
  const lengths = [9 * 32 + 13, 9 * 32 + 13, 5 * 32];
  const steps = lengths.map((frames, n) => {
    const x = features(20 + n, frames);
    const memory = chunks.memory();
    const parts: Tensor[] = [];
    for (let from = 0; from < frames; from += 32) {
      const context = from === 0 ? 0 : chunks.context;
      const rows = Math.min(32, frames - from) + 4 * context;
      parts.push(chunks.forward(x.lo(0, from - 4 * context, 0).hi(1, rows, 40), context, [memory]));
    }
    const whole = prefix.forward(x);
    t.ok(largestGap(concatenate(parts.map(flat)), flat(whole)) < 5e-5, `${frames} features`);
    return parts;
  });
  const joined = (parts: readonly Tensor[]) => {
    const all = concatenate(parts.map(flat));
    return view(all, [all.length]);
  };
  const alone = steps.map((parts) => {
    const memory = suffix.chunks!.memory();
    return joined(parts.map((part) => suffix.chunks!.forward(part, [memory])));
  });
  // Stream n begins n turns later than the first, and goes on as long as it has chunks.
  const memories = steps.map(() => suffix.chunks!.memory());
  const found = steps.map((): Tensor[] => []);
  for (let turn = 0; turn < 14; turn++) {
    const ready = steps.map((_, n) => n).filter((n) => turn >= n && turn - n < steps[n]!.length);
    for (const size of new Set(ready.map((n) => steps[n]![turn - n]!.shape[1]!))) {
      const group = ready.filter((n) => steps[n]![turn - n]!.shape[1] === size);
      const x = concatenate(group.map((n) => flat(steps[n]![turn - n]!)));
      const own = group.map((n) => memories[n]!);
      const y = suffix.chunks.forward(view(x, [group.length, size, 96]), own);
      group.forEach((n, b) => {
        found[n]!.push(y.pick(b, null, null));
      });
    }
  }
  found.forEach((parts, n) => {
    t.same(bits(joined(parts)), bits(alone[n]!), `stream ${n}`);
    const whole = suffix.forward(
      view(concatenate(steps[n]!.map(flat)), [
        1,
        steps[n]!.reduce((sum, { shape }) => sum + shape[1]!, 0),
        96,
      ]),
    );
    t.same(bits(joined(parts)), bits(joined([whole])), `stream ${n} as a whole`);
  });
});

t.test('what comes later changes nothing, and what is long past neither', async (t) => {
  const config = chunked({ frames: 4, past: 4 });
  const prefix = prefixOf(config, 2);
  const x = features(31, 16 * 10);
  const changed = view(Float32Array.from(flat(x)), x.shape);
  changed.data.fill(0.5, 16 * 6 * 40);
  const [a, b] = [prefix.forward(x), prefix.forward(changed)];
  t.same(bits(a.hi(1, 24, 96)), bits(b.hi(1, 24, 96)), 'six chunks before the change');
  t.not(largestGap(flat(a), flat(b)), 0);
  // Each of two layers reaches 7 frames back by its convolution, and from the chunk there 4 more by attention.
  changed.data.set(flat(x));
  changed.data.fill(0.5, 0, 16 * 40);
  const c = prefix.forward(changed);
  t.same(bits(a.lo(0, 32, 0)), bits(c.lo(0, 32, 0)), 'seven chunks after the change');
});

t.test('a suffix says how far back it reaches, and no less', async (t) => {
  for (const [chunks, split, reach] of [
    [{ frames: 4, past: 4 }, 3, 12],
    [{ frames: 4, past: 4 }, 2, 24],
    [{ frames: 8, past: 0 }, 2, 16],
    [{ frames: 3, past: 5 }, 3, 15],
  ] as const) {
    const suffix = suffixOf(chunked(chunks), split);
    t.equal(suffix.chunks?.reach, reach);
    const x = randomTensor(createRandom(41), 1, 48, 96);
    const whole = suffix.forward(x);
    // A window that begins so much earlier gives the same bits; one that begins with the chunk itself does not.
    const from = 36 - (36 % chunks.frames);
    const part = (start: number) => {
      const rows = suffix.forward(contiguous(x.lo(0, start, 0).hi(1, 48 - start, 96)));
      return bits(rows.lo(0, from - start, 0).hi(1, 48 - from, shipped.classes));
    };
    const expected = bits(whole.lo(0, from, 0).hi(1, 48 - from, shipped.classes));
    t.same(part(from - reach), expected, `${chunks.frames} frames after ${chunks.past}, cut ${split}`);
    t.notSame(part(from - reach + chunks.frames), expected, 'one chunk less is too little');
  }
});

t.test('chunks that make no sense', async (t) => {
  const { encoder } = shipped;
  for (const chunks of [{ frames: 0, past: 0 }, { frames: 8, past: -1 }, { frames: 1.5, past: 0 }, 8, null]) {
    t.throws(() => checkEncoder('conformer', { ...encoder, chunks: chunks as ChunkConfig }), ModelError);
  }
  t.throws(
    () => checkEncoder('x', { ...encoder, positions: 'rotary', chunks: { frames: 8, past: 8 } }),
    /relative/,
  );
  const wide = { ...shipped.frontEnd, kernelSizes: [9, 3] };
  t.throws(() => prefixOf({ ...chunked({ frames: 8, past: 8 }), frontEnd: wide }, 1), /ahead/);
  // An even kernel adds a step to every chunk.
  const even = { ...shipped.frontEnd, kernelSizes: [3, 2] };
  t.throws(() => checkConformerCtc({ ...chunked({ frames: 8, past: 8 }), frontEnd: even }), ModelError);
  t.doesNotThrow(() => checkConformerCtc({ ...shipped, frontEnd: even }));
});
