/** Operations that networks other than the conformer brought: pooling, plain attention, rotary positions, norms. */
import t from 'tap';
import {
  attention,
  averagePool2d,
  batchNorm,
  conv2d,
  conv2dPacked,
  groupNorm,
  packConv2d,
  relativeAttention,
  relu,
  rotatePositions,
  withKernels,
} from '../../src/ops/index.js';
import { contiguous, createRandom, empty, scope, type Tensor, view, zeros } from '../../src/tensor/index.js';

const random = createRandom(9);
const tensor = (...shape: number[]): Tensor => {
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = 2 * random() - 1;
  return x;
};
const close = (a: Tensor, b: Tensor, tolerance = 1e-5) =>
  a.shape.join() === b.shape.join() &&
  contiguous(a).data.every((x, i) => Math.abs(x - contiguous(b).data[i]!) < tolerance);

t.test('filters packed with the batch norm that follows, and from PyTorch’s layout', async (t) => {
  const options = { stride: [1, 1], padding: [1, 1], padMode: 'zero' } as const;
  for (const kernels of ['auto', 'reference'] as const) {
    withKernels(kernels, () => {
      for (const [inChannels, outChannels] of [
        [3, 5],
        [8, 16],
      ] as const) {
        const x = tensor(2, 6, 5, inChannels);
        const stored = tensor(outChannels, inChannels, 3, 3);
        const weight = stored.transpose(0, 2, 3, 1);
        const positive = view(
          tensor(outChannels).data.map((value) => 0.5 + Math.abs(value)),
          [outChannels],
        );
        const parameters = {
          mean: tensor(outChannels),
          variance: positive,
          weight: tensor(outChannels),
          bias: tensor(outChannels),
        };
        for (const bias of [tensor(outChannels), null]) {
          const apart = relu(batchNorm(conv2d(x, contiguous(weight), bias, options), parameters, 1e-5));
          const filters = packConv2d(weight, bias, options, 'kept', { parameters, epsilon: 1e-5 });
          t.ok(close(conv2dPacked(x, filters, 'relu'), apart, 5e-5), `${kernels}, ${inChannels} channels`);
          t.ok(close(conv2d(x, weight, bias, options), conv2d(x, contiguous(weight), bias, options)));
        }
      }
    });
  }
});

t.test('averages of windows: batches, views, what is left over, what is refused', async (t) => {
  const image = tensor(2, 4, 5, 3).transpose(0, 2, 1, 3);
  const options = { window: [2, 2], stride: [2, 2] } as const;
  const pooled = averagePool2d(image, options);
  t.same(pooled.shape, [2, 2, 2, 3]);
  for (let b = 0; b < 2; b++) {
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (const [y, x] of [
        [2, 0],
        [2, 1],
        [3, 0],
        [3, 1],
      ] as const)
        sum += image.get(b, y, x, c);
      t.ok(Math.abs(pooled.get(b, 1, 0, c) - sum / 4) < 1e-6);
    }
  }
  const refused = (window: [number, number], stride: [number, number], message: RegExp) =>
    t.throws(() => averagePool2d(image, { window, stride }), { code: 'ACOM_SHAPE', message });
  refused([6, 2], [2, 2], /x \[2, 5, 4, 3\] is smaller than the window 6 x 2/);
  refused([2, 2], [0, 2], /whole numbers from 1 on, not 0/);
  refused([2, 1.5], [1, 2], /not 1.5/);
  t.throws(() => averagePool2d(tensor(2, 2), options), { message: /averagePool2d: x/ });
});

t.test('plain attention of views gives what copies give', async (t) => {
  const [batch, frames, keys, heads, size] = [2, 5, 7, 3, 4];
  const scale = 0.4;
  const copies = [
    tensor(batch, frames, heads, size),
    tensor(batch, keys, heads, size),
    tensor(batch, keys, heads, size),
  ];
  const [query, key, value] = copies as [Tensor, Tensor, Tensor];
  const expected = attention({ query, key, value, scale, keepMap: true });
  const mask = view(new Uint8Array(batch * keys), [batch, keys]);
  /** The same elements, heads before frames in memory. */
  const turned = (x: Tensor) => contiguous(x.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3);
  /** The same elements as part of a wider tensor. */
  const wider = (x: Tensor) => {
    const [b, n] = x.shape as [number, number];
    const all = tensor(b, n, heads, size + 2)
      .lo(0, 0, 0, 1)
      .hi(b, n, heads, size);
    for (let i = 0; i < x.data.length; i++) {
      const at = [Math.floor(i / (n * heads * size)), Math.floor(i / (heads * size)) % n] as const;
      all.set(...at, Math.floor(i / size) % heads, i % size, x.data[i]!);
    }
    return all;
  };
  const ways: [string, Tensor, Tensor, Tensor][] = [
    ['turned', turned(query), turned(key), turned(value)],
    ['parts', wider(query), wider(key), wider(value)],
    ['mixed', wider(query), key, turned(value)],
  ];
  for (const [what, q, k, v] of ways) {
    const got = attention({ query: q, key: k, value: v, scale, mask, keepMap: true });
    t.ok(close(got.output, expected.output) && close(got.map!, expected.map!), what);
  }
  const added = tensor(frames, keys);
  const more = attention({ query, key, value, scale, added });
  t.ok(close(attention({ query, key, value, scale, added: turned2(added) }).output, more.output), 'added');
  t.notOk(close(more.output, expected.output), 'and it counts');
  const bad: [object, RegExp][] = [
    [{ key: tensor(2, 7, 3, 5) }, /key has shape \[2, 7, 3, 5\], expected \[2, 7, 3, 4\]/],
    [{ value: tensor(2, 6, 3, 4) }, /value has shape/],
    [{ added: tensor(5, 6) }, /added has shape \[5, 6\], expected \[5, 7\]/],
    [{ mask: view(new Uint8Array(10), [2, 5]) }, /mask has shape \[2, 5\]/],
    [{ key: tensor(2, 0, 3, 4), value: tensor(2, 0, 3, 4) }, /no key to attend to/],
    [{ query: tensor(2, 5, 12) }, /query has shape \[2, 5, 12\], expected 4 axes/],
  ];
  for (const [change, message] of bad) {
    t.throws(() => attention({ query, key, value, scale, ...change }), { code: 'ACOM_SHAPE', message });
  }
});

const turned2 = (x: Tensor) => contiguous(x.transpose(1, 0)).transpose(1, 0);

t.test('plain attention is relative attention whose positions and biases are zero', async (t) => {
  const [batch, frames, heads, size] = [2, 11, 3, 5];
  const width = heads * size;
  const queryKeyValue = tensor(batch, frames, 3 * width);
  const part = (which: number) =>
    view(
      queryKeyValue.data,
      [batch, frames, heads, size],
      [frames * 3 * width, 3 * width, 3 * size, 1],
      which * size,
    );
  const plain = attention({ query: part(0), key: part(1), value: part(2), scale: 0.3 });
  const relative = relativeAttention({
    queryKeyValue,
    positions: zeros([2 * frames - 1, width]),
    biasU: zeros([width]),
    biasV: zeros([width]),
    heads,
    scale: 0.3,
  });
  t.ok(close(plain.output, relative.output));
});

t.test('rotation in place touches queries and nothing beside them, wherever they lie', async (t) => {
  const [batch, frames, heads, size] = [2, 5, 3, 6];
  const table = tensor(frames, 2 * size);
  const source = tensor(batch, frames, heads, 3, size);
  const expected = source.data.slice();
  for (let i = 0; i < expected.length; i++) {
    const [d, which] = [i % size, Math.floor(i / size) % 3];
    const frame = Math.floor(i / (3 * heads * size)) % frames;
    if (which !== 1) continue;
    const row = frame * 2 * size;
    const partner = source.data[d % 2 === 0 ? i + 1 : i - 1]!;
    expected[i] = source.data[i]! * table.data[row + d]! + partner * table.data[row + size + d]!;
  }
  const rotated = (x: Tensor): Tensor => {
    rotatePositions(x.pick(null, null, null, 1, null), table);
    return x;
  };
  const here = rotated(view(source.data.slice(), source.shape));
  const inKernelMemory = scope(() => {
    const x = empty(source.shape);
    x.data.set(source.data, x.offset);
    return rotated(x);
  });
  const byReference = withKernels('reference', () => rotated(view(source.data.slice(), source.shape)));
  for (const x of [here, inKernelMemory, byReference]) {
    t.ok(expected.every((value, i) => Math.abs(value - x.data[i]!) < 1e-6));
    t.ok(source.data.every((value, i) => Math.floor(i / size) % 3 === 1 || value === x.data[i]));
  }
  t.throws(() => rotatePositions(tensor(1, 5, 2, 5), tensor(5, 10)), { message: /heads of an even size/ });
  t.throws(() => rotatePositions(tensor(1, 4, 2, 6), table), { message: /table has shape \[5, 12\]/ });
  const turned = tensor(1, 6, 2, 5).transpose(0, 3, 2, 1);
  t.throws(() => rotatePositions(turned, table), { message: /lie side by side/ });
});

t.test('group norm with one group: every item by itself, over frames and channels', async (t) => {
  const [batch, frames, channels] = [2, 4, 3];
  const x = tensor(batch, frames, channels);
  const [weight, bias] = [tensor(channels), tensor(channels)];
  const y = groupNorm(x, weight, bias, 1e-5);
  const each = frames * channels;
  for (let b = 0; b < batch; b++) {
    const item = [...x.data.subarray(b * each, (b + 1) * each)];
    const mean = item.reduce((sum, value) => sum + value, 0) / each;
    const variance = item.reduce((sum, value) => sum + (value - mean) ** 2, 0) / each;
    item.forEach((value, i) => {
      const c = i % channels;
      const exact = ((value - mean) / Math.sqrt(variance + 1e-5)) * weight.data[c]! + bias.data[c]!;
      t.ok(Math.abs(y.data[b * each + i]! - exact) < 1e-5);
    });
  }
  t.throws(() => groupNorm(x, tensor(4), bias, 1e-5), { message: /groupNorm: weight has shape \[4\]/ });
  t.throws(() => groupNorm(tensor(3, 3), weight, bias, 1e-5), { message: /groupNorm: x/ });
});
