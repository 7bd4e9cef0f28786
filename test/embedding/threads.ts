/** Large products on as many threads as the argument says; prints a digest of the results and whether workers came up. */
import { linearPacked, packLinear, useThreads } from '../../src/ops/index.js';
import { createRandom, view } from '../../src/tensor/index.js';

const threads = Number(process.argv[2]);
const random = createRandom(5);
const tensor = (...shape: number[]) => {
  const size = shape.reduce((product, n) => product * n, 1);
  return view(
    Float32Array.from({ length: size }, () => random() - 0.5),
    shape,
  );
};

useThreads(threads);
const x = tensor(100, 300);
const weights = packLinear(tensor(517, 300), tensor(517));
const digest = (data: Float32Array) => data.reduce((sum, value, i) => sum + value * ((i % 97) + 1), 0);
// Workers come up beside the first products, which do not wait for them.
const digests = new Set<number>();
const end = Date.now() + 1000;
do {
  digests.add(digest(linearPacked(x, weights, 'swish').data));
  await new Promise((resolve) => setTimeout(resolve, 5));
} while (Date.now() < end);
console.log(JSON.stringify([...digests]));
