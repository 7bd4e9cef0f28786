/**
 * npm run bench:threads -- [threads]: products, conformer layers and convolutions on one thread and on several (two
 * unless said), in interleaved rounds. Wants cores that nobody else uses.
 */
import { setTimeout } from 'node:timers/promises';
import { ConformerLayer, Parameters, relativePositions } from '../src/nn/index.js';
import { linearPacked, packLinear, useThreads } from '../src/ops/index.js';
import { createRandom, scope, type Tensor, view } from '../src/tensor/index.js';
import { randomLayer } from './peers/conformer-layer.js';
import { resident } from './peers/ours.js';
import { describeMachine, thisMachine, time } from './report.js';
import { observe, observed } from './sink.js';
import { summarize } from './statistics.js';

const ROUNDS = 41;
const threads = Number(process.argv[2] ?? 2);
const random = createRandom(3);
const data = (length: number) => Float32Array.from({ length }, () => 2 * random() - 1);

function product(m: number, k: number, n: number): readonly [string, () => Tensor] {
  const x = resident(data(m * k), [m, k]);
  const weights = packLinear(view(data(n * k), [n, k]), null);
  return [`matmul ${m} x ${k} x ${n}`, () => linearPacked(x, weights)];
}

function layer(width: number, heads: number, frames: number): readonly [string, () => Tensor] {
  const config = { width, heads, layers: 1, feedForward: 4 * width, depthwiseTaps: 31 };
  const conformer = new ConformerLayer(new Parameters(randomLayer(config, 11)), config);
  const table = relativePositions(frames, width);
  const positions = resident(table.data, table.shape);
  const x = resident(data(frames * width), [1, frames, width]);
  return [`conformer layer, d = ${width}, T = ${frames}`, () => conformer.forward(x, positions)];
}

const cases = [
  product(250, 144, 576),
  product(250, 2048, 512),
  layer(144, 4, 250),
  layer(512, 8, 25),
  layer(512, 8, 250),
];

console.log(`${describeMachine(thisMachine())}; medians over ${ROUNDS} interleaved rounds`);
for (const [name, forward] of cases) {
  const once = (count: number): number => {
    useThreads(count);
    const begin = performance.now();
    scope(forward);
    return (performance.now() - begin) / 1000;
  };
  // Workers come up beside the first call.
  once(threads);
  await setTimeout(300);
  for (let i = 0; i < 20; i++) once(1 + (i % 2) * (threads - 1));
  const rounds = Array.from({ length: ROUNDS }, () => {
    const alone = once(1);
    // The workers may have gone to sleep: the second call is what a network sees.
    once(threads);
    return { alone, together: once(threads) };
  });
  observe(scope(forward).data);
  const alone = summarize(rounds.map((round) => round.alone));
  const together = summarize(rounds.map((round) => round.together));
  const ratio = summarize(rounds.map((round) => round.alone / round.together));
  console.log(
    `${name.padEnd(34)} 1 thread ${time(alone.median).padStart(9)}  ${threads} threads ${time(together.median).padStart(9)}  ` +
      `${ratio.median.toFixed(2)} times as fast`,
  );
}
console.log(`sum over all results: ${observed()}`);
