import t from 'tap';
import { constant, relativeAttention, type Variable } from '../../src/autograd/index.js';
import { relativeAttention as batchAttention } from '../../src/ops/index.js';
import { createRandom, flat, type NdArray, reshape, ShapeError, view } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(5);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

const attend =
  (heads: number, lengths: readonly number[], scale = 0.4, mask?: NdArray<Uint8Array>) =>
  (...[queryKeyValue, positions, biasU, biasV]: Variable[]) =>
    relativeAttention({
      queryKeyValue: queryKeyValue!,
      positions: positions!,
      biasU: biasU!,
      biasV: biasV!,
      heads,
      scale,
      lengths,
      mask,
    });

t.test('gradients of recordings of several lengths, positions of a longer one', async (t) => {
  const [heads, headSize, lengths] = [2, 3, [5, 1, 7]] as const;
  const width = heads * headSize;
  checkGradients(t, 'relative attention', {
    f: attend(heads, lengths),
    inputs: [
      tensor(13, 3 * width),
      tensor(2 * 8 - 1, width),
      tensor(headSize, heads),
      tensor(headSize, heads),
    ],
  });
});

t.test('frames that none attends to have no gradient for what they would have been asked', async (t) => {
  const mask = view(Uint8Array.of(0, 0, 1, 0, 0, 0, 1), [7]);
  const inputs = [tensor(7, 12), tensor(9, 4), tensor(2, 2), tensor(2, 2)];
  checkGradients(t, 'with a mask', { f: attend(2, [3, 4], 0.4, mask), inputs });
  const message = /mask has shape \[6\], expected \[7\]/;
  const short = view(new Uint8Array(6), [6]);
  t.throws(() => attend(2, [3, 4], 0.4, short)(...inputs.map(constant)), {
    constructor: ShapeError,
    message,
  });
});

t.test('recordings of one length are what a batch of them is', async (t) => {
  const [heads, width, frames, batch] = [2, 10, 6, 3] as const;
  const queryKeyValue = tensor(batch * frames, 3 * width);
  const [positions, biasU, biasV] = [tensor(2 * frames - 1, width), tensor(heads, 5), tensor(heads, 5)];
  const packed = attend(
    heads,
    Array(batch).fill(frames),
    0.3,
  )(...[queryKeyValue, positions, biasU, biasV].map(constant));
  const { output } = batchAttention({
    queryKeyValue: reshape(queryKeyValue, [batch, frames, 3 * width]),
    positions,
    biasU,
    biasV,
    heads,
    scale: 0.3,
  });
  t.same([...flat(packed.value)], [...flat(output)]);
});

t.test('what does not fit is refused', async (t) => {
  const inputs = [tensor(6, 12), tensor(7, 4), tensor(2, 2), tensor(2, 2)].map(constant);
  const refused = (lengths: number[], message: RegExp, of = inputs, heads = 2) => {
    t.throws(() => attend(heads, lengths)(...of), { constructor: ShapeError, message });
  };
  refused([3, 4], /queryKeyValue \[6, 12\] is no 7 frames/);
  refused([6], /a recording of 6 frames, with positions for 1 to 4/);
  refused([6, 0], /a recording of 0 frames|a recording of 6 frames/);
  refused([3, 3], /no query, key and value of 5 heads/, inputs, 5);
  refused([3, 3], /positions/, [inputs[0]!, constant(tensor(6, 4)), inputs[2]!, inputs[3]!]);
  refused([3, 3], /biasU has shape \[3, 2\], expected 4 elements/, [
    inputs[0]!,
    inputs[1]!,
    constant(tensor(3, 2)),
    inputs[3]!,
  ]);
});
