/** Operations on tensors: views give what copies give, and shapes that do not fit are named. */
import t from 'tap';
import {
  batchNorm,
  conv2d,
  depthwiseConv1d,
  depthwiseConv2d,
  depthwiseConv2dPacked,
  foldBatchNorm,
  glu,
  layerNorm,
  leakyRelu,
  linear,
  logSoftmax,
  matmul,
  nearestCodewords,
  packDepthwiseConv2d,
  relativeAttention,
  relu,
  scaledAdd,
  softmax,
  swish,
} from '../../src/ops/index.js';
import {
  contiguous,
  createRandom,
  keep,
  ShapeError,
  type Tensor,
  view,
  zeros,
} from '../../src/tensor/index.js';

const random = createRandom(7);
const tensor = (...shape: number[]): Tensor => {
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = 2 * random() - 1;
  return x;
};
const close = (a: Tensor, b: Tensor) =>
  a.shape.join() === b.shape.join() && a.data.every((x, i) => Math.abs(x - b.data[i]!) < 1e-6);

t.test('strided views give what contiguous copies give', async (t) => {
  const cube = tensor(4, 6, 5).transpose(2, 0, 1);
  const copy = contiguous(cube);
  const weight = tensor(7, 6);
  const bias = tensor(7);
  const vector = tensor(6);
  t.ok(close(linear(cube, weight, bias), linear(copy, weight, bias)), 'linear');
  const turned = weight.transpose(1, 0);
  t.ok(close(matmul(turned, weight), matmul(contiguous(turned), weight)), 'matmul');
  // No two elements of it lie side by side, in either direction, inside the memory of the kernels and outside.
  const sparse = tensor(12, 14).step(2, 2);
  t.ok(close(matmul(sparse, weight), matmul(contiguous(sparse), weight)), 'matmul, sparse');
  const kept = keep(tensor(12, 14)).step(2, 2);
  t.ok(close(matmul(kept, weight), matmul(contiguous(kept), weight)), 'matmul, sparse and resident');
  t.ok(
    close(linear(copy, contiguous(turned).transpose(1, 0), bias), linear(copy, weight, bias)),
    'weights as a view',
  );
  t.ok(close(softmax(cube), softmax(copy)), 'softmax');
  t.ok(close(logSoftmax(cube), logSoftmax(copy)), 'logSoftmax');
  t.ok(close(layerNorm(cube, vector, vector, 1e-5), layerNorm(copy, vector, vector, 1e-5)), 'layerNorm');
  t.ok(close(swish(cube), swish(copy)), 'swish');
  t.ok(close(relu(cube), relu(copy)), 'relu');
  t.ok(close(glu(cube), glu(copy)), 'glu');
  t.ok(close(scaledAdd(cube, 0.5, copy), scaledAdd(copy, 0.5, copy)), 'scaledAdd');
  const filter = tensor(6, 3);
  t.ok(
    close(depthwiseConv1d(cube, filter, vector), depthwiseConv1d(copy, filter, vector)),
    'depthwiseConv1d',
  );
  const image = tensor(1, 3, 5, 4).transpose(0, 2, 1, 3);
  const options = { stride: [1, 2], padding: [1, 1], padMode: 'reflect' } as const;
  const kernel = tensor(2, 3, 3, 4);
  t.ok(
    close(conv2d(image, kernel, null, options), conv2d(contiguous(image), kernel, null, options)),
    'conv2d',
  );
  const taps = tensor(3, 3, 4).transpose(2, 0, 1);
  const uneven = { stride: [2, 1], padding: { rows: [0, 1], columns: [2, 1] } } as const;
  t.ok(
    close(
      depthwiseConv2d(image, taps, null, uneven),
      depthwiseConv2d(contiguous(image), contiguous(taps), null, uneven),
    ),
    'depthwiseConv2d',
  );
  const rows = tensor(8, 9).hi(8, 6);
  t.ok(close(softmax(rows), softmax(contiguous(rows))), 'rows of a wider matrix');
});

t.test('batch norm folded into a convolution, with and without bias', async (t) => {
  const x = tensor(2, 6, 5, 3);
  const weight = tensor(4, 3, 3, 3);
  const positive = tensor(4);
  for (let i = 0; i < 4; i++) positive.data[i] = 0.5 + Math.abs(positive.data[i]!);
  const norm = { mean: tensor(4), variance: positive, weight: tensor(4), bias: tensor(4) };
  const options = { stride: [1, 1], padding: [1, 1], padMode: 'zero' } as const;
  for (const bias of [tensor(4), null]) {
    const apart = batchNorm(conv2d(x, weight, bias, options), norm, 1e-5);
    const folded = foldBatchNorm(weight, bias, norm, 1e-5);
    const together = conv2d(x, folded.weight, folded.bias, options);
    t.ok(together.data.every((value, i) => Math.abs(value - apart.data[i]!) < 1e-5));
  }
  t.throws(() => foldBatchNorm(weight, tensor(3), norm, 1e-5), {
    message: /foldBatchNorm: bias has shape \[3\]/,
  });
});

t.test('an item of a batch comes out as it does alone', async (t) => {
  const x = tensor(3, 7, 4);
  const filter = tensor(4, 5);
  const together = depthwiseConv1d(x, filter, null);
  for (let b = 0; b < 3; b++) {
    const alone = depthwiseConv1d(view(x.data, [1, 7, 4], undefined, b * 28), filter, null);
    t.ok(alone.data.every((value, i) => value === together.data[b * 28 + i]));
  }
});

t.test('tensors without the memory that they claim: the operation, the shape, the reason', async (t) => {
  const filters = { stride: [1, 1], padding: [0, 0], padMode: 'zero' } as const;
  const operations: Record<string, (x: Tensor) => unknown> = {
    matmul: (x) => matmul(x, x),
    linear: (x) => linear(x, tensor(2, 2), null),
    softmax,
    logSoftmax,
    swish,
    relu,
    glu,
    leakyRelu: (x) => leakyRelu(x, 0.1),
    scaledAdd: (x) => scaledAdd(x, 1, x),
    layerNorm: (x) => layerNorm(x, tensor(2), tensor(2), 1e-5),
    batchNorm: (x) =>
      batchNorm(x, { mean: tensor(2), variance: tensor(2), weight: tensor(2), bias: tensor(2) }, 1e-5),
    nearestCodewords: (x) => nearestCodewords(x, tensor(1, 4, 2), 1),
    conv2d: (x) => conv2d(x, tensor(1, 1, 1, 2), null, filters),
    depthwiseConv1d: (x) => depthwiseConv1d(x, tensor(2, 3), null),
    relativeAttention: (x) =>
      relativeAttention({
        queryKeyValue: x,
        positions: tensor(3, 1),
        biasU: tensor(1, 1),
        biasV: tensor(1, 1),
        heads: 1,
        scale: 1,
      }),
  };
  for (const [name, operation] of Object.entries(operations)) {
    const detached = tensor(2, 2);
    structuredClone(detached.data.buffer, { transfer: [detached.data.buffer as ArrayBuffer] });
    const refused = (x: Tensor, reason: RegExp) =>
      t.throws(() => operation(x), {
        code: 'ACOM_SHAPE',
        message: new RegExp(`^${name}: .*${reason.source}`),
      });
    refused(detached, /\[2, 2\].*its memory was detached/);
    const short = { ...tensor(2, 2), shape: [2, 2], stride: [2, 1], offset: 1, data: new Float32Array(4) };
    refused(short as Tensor, /\[2, 2\] reaches elements 1 to 4, but its data has 4/);
    refused({ ...short, shape: [Number.NaN, 2] } as Tensor, /shape \[NaN, 2\], which holds NaN/);
  }
});

t.test('shapes that do not fit: the operation, both shapes, what is expected', async (t) => {
  const m = tensor(2, 3);
  const attention = {
    queryKeyValue: tensor(1, 4, 12),
    positions: tensor(7, 4),
    biasU: tensor(2, 2),
    biasV: tensor(2, 2),
    heads: 2,
    scale: 1,
  };
  const wrong: [() => unknown, RegExp][] = [
    [() => matmul(m, m), /matmul: a \[2, 3\] and b \[2, 3\]/],
    [() => matmul(tensor(2), m), /matmul: a has shape \[2\], expected 2 axes/],
    [() => linear(m, tensor(5, 4), null), /linear: x \[2, 3\] and weight \[5, 4\]/],
    [() => linear(m, tensor(5, 3), tensor(4)), /linear: bias has shape \[4\], expected 5/],
    [() => softmax(view(new Float32Array(1), [])), /softmax: x is a scalar/],
    [() => layerNorm(m, tensor(2), tensor(3), 1e-5), /layerNorm: weight has shape \[2\]/],
    [
      () => batchNorm(m, { mean: tensor(3), variance: tensor(3), weight: tensor(3), bias: tensor(2) }, 1e-5),
      /batchNorm: bias/,
    ],
    [() => glu(m), /glu: the last axis has 3/],
    [() => scaledAdd(m, 1, tensor(3, 2)), /scaledAdd: z has shape \[3, 2\], expected \[2, 3\]/],
    [() => depthwiseConv1d(tensor(1, 4, 3), tensor(3, 4), null), /4 taps have no centre/],
    [() => depthwiseConv1d(tensor(1, 4, 3), tensor(2, 3), null), /a weight of 2 channels do not fit/],
    [
      () =>
        conv2d(tensor(1, 4, 4, 2), tensor(1, 3, 3, 3), null, {
          stride: [1, 1],
          padding: [0, 0],
          padMode: 'zero',
        }),
      /conv2d: x \[1, 4, 4, 2\] and weight \[1, 3, 3, 3\]/,
    ],
    [
      () =>
        conv2d(tensor(1, 2, 2, 2), tensor(1, 3, 3, 2), null, {
          stride: [1, 1],
          padding: [0, 0],
          padMode: 'zero',
        }),
      /smaller than the kernel/,
    ],
    [() => relativeAttention({ ...attention, heads: 5 }), /no query, key and value of 5 heads/],
    [() => relativeAttention({ ...attention, positions: tensor(6, 4) }), /positions has shape \[6, 4\]/],
    [
      () => relativeAttention({ ...attention, mask: view(new Uint8Array(3), [1, 3]) }),
      /mask has shape \[1, 3\]/,
    ],
    [() => nearestCodewords(m, tensor(1, 4, 2), 1), /nearestCodewords: x \[2, 3\] and codebooks/],
    [() => nearestCodewords(m, tensor(1, 4, 3), 2), /2 stages asked of 1/],
    [() => view(new Float32Array(3), [2, 2]), /needs 4 elements, the data has 3/],
  ];
  for (const [call, message] of wrong) t.throws(call, { name: 'ShapeError', message });
  t.ok(new ShapeError('x').code === 'ACOM_SHAPE');
});

t.test('depthwiseConv2d is conv2d with zeros between channels, for every image of a batch', async (t) => {
  const x = tensor(3, 7, 6, 5);
  const weight = tensor(5, 3, 4);
  const bias = tensor(5);
  const full = zeros([5, 3, 4, 5]);
  for (let c = 0; c < 5; c++) {
    for (let r = 0; r < 3; r++) for (let s = 0; s < 4; s++) full.set(c, r, s, c, weight.get(c, r, s));
  }
  const padding = { rows: [1, 1], columns: [2, 2] } as const;
  const options = { stride: [2, 1], padding } as const;
  const expected = conv2d(x, full, bias, { stride: [2, 1], padding: [1, 2], padMode: 'zero' });
  t.ok(close(depthwiseConv2d(x, weight, bias, options), expected));
  const packed = packDepthwiseConv2d(weight, bias, options);
  t.ok(close(depthwiseConv2dPacked(x, packed, 'relu'), relu(expected)), 'with ReLU');
  t.throws(() => depthwiseConv2d(x, tensor(4, 3, 4), null, options), ShapeError);
  t.throws(() => depthwiseConv2d(x, tensor(5, 12), null, options), ShapeError);
  t.throws(() => depthwiseConv2d(x, tensor(5, 10, 4), null, options), /is smaller than the kernel 10 x 4/);
  t.throws(() => depthwiseConv2d(tensor(7, 6, 5), weight, null, options), ShapeError);
});
