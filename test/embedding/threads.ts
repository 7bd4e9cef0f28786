/**
 * Large operations on as many threads as the argument says, for a second, while workers come up; prints the different
 * results that there were, as digests.
 */
import {
  conv2dPacked,
  linearPacked,
  packConv2d,
  packLinear,
  relativeAttention,
  useThreads,
} from '../../src/ops/index.js';
import { createRandom, type Tensor, view } from '../../src/tensor/index.js';

const random = createRandom(5);
const tensor = (...shape: number[]): Tensor => {
  const size = shape.reduce((product, n) => product * n, 1);
  return view(
    Float32Array.from({ length: size }, () => random() - 0.5),
    shape,
  );
};

useThreads(Number(process.argv[2]));
const x = tensor(100, 300);
const weights = packLinear(tensor(517, 300), tensor(517));
const image = tensor(1, 31, 40, 32);
const filters = packConv2d(tensor(44, 3, 3, 32), tensor(44), {
  stride: [1, 1],
  padding: [1, 1],
  padMode: 'zero',
});
const winograd = packConv2d(tensor(40, 3, 3, 32), null, {
  stride: [1, 1],
  padding: [1, 1],
  padMode: 'reflect',
});
const [frames, heads, headSize] = [200, 5, 20];
const attention = {
  queryKeyValue: tensor(1, frames, 3 * heads * headSize),
  positions: tensor(2 * frames - 1, heads * headSize),
  biasU: tensor(heads, headSize),
  biasV: tensor(heads, headSize),
  heads,
  scale: 0.3,
};
const operations: Record<string, () => Tensor> = {
  linear: () => linearPacked(x, weights, 'swish'),
  'conv2d, direct': () => conv2dPacked(image, filters, 'relu'),
  'conv2d, Winograd': () => conv2dPacked(image, winograd),
  attention: () => relativeAttention(attention).output,
};

const digest = ({ data }: Tensor) => data.reduce((sum, value, i) => sum + value * ((i % 97) + 1), 0);
const found = new Map(Object.keys(operations).map((name) => [name, new Set<number>()]));
const end = Date.now() + 1000;
do {
  for (const [name, run] of Object.entries(operations)) found.get(name)?.add(digest(run()));
  // Workers come up beside the first calls, which do not wait for them.
  await new Promise((resolve) => setTimeout(resolve, 5));
} while (Date.now() < end);
console.log(JSON.stringify(Object.fromEntries([...found].map(([name, digests]) => [name, [...digests]]))));
