/** A small regression as a workload, for tests of the trainer: everything that a real one has, and faults on demand. */
import { isMainThread } from 'node:worker_threads';
import { constant, linear, scaledAdd, type Variable } from '../../src/autograd/index.js';
import { record } from '../../src/autograd/tape.js';
import { createRandom, flat, type Tensor, view } from '../../src/tensor/index.js';
import type { CreateWorkload, Workload } from '../../src/training/run/index.js';

const [INPUTS, HIDDEN, OUTPUTS] = [6, 8, 3];

export interface ToyOptions {
  /** Items of the training set; default 22. */
  readonly items?: number;
  readonly batch?: number;
  /** Item whose target is NaN. */
  readonly badItem?: number;
  /** Item whose gradient is infinite though its loss is not. */
  readonly steepItem?: number;
  /** Item at which the thread ends, the loss throws, or reading throws. */
  readonly exitItem?: number;
  readonly throwItem?: number;
  readonly unreadableItem?: number;
  /** Size of the random numbers that are added to inputs, in reading and in passes; default 0.01. */
  readonly noise?: number;
  /** Milliseconds that reading takes. */
  readonly slow?: number;
  /** Worker threads can't make it. */
  readonly absentInWorkers?: boolean;
  /** The validation score is NaN. */
  readonly noScore?: boolean;
}

interface ToyBatch {
  readonly x: Tensor;
  readonly target: Tensor;
  readonly items: readonly number[];
}

/** Σ (y − target)², whose gradient is 2 (y − target). */
function squaredError(y: Variable, target: Tensor, steep: boolean): Variable {
  const [a, b] = [flat(y.value), flat(target)];
  const sum = a.reduce((total, value, i) => total + (value - b[i]!) ** 2, 0);
  return record([y], view(Float32Array.of(sum), [1]), (dy) => {
    const scale = 2 * flat(dy)[0]!;
    y.accumulate(
      view(
        a.map((value, i) => (steep ? Number.POSITIVE_INFINITY : scale * (value - b[i]!))),
        y.shape,
      ),
    );
  });
}

/** What items are made of: the same for the same item. */
export function itemOf(item: number, noise = () => 0): { x: number[]; target: number[] } {
  const own = createRandom(1000 + item);
  const x = Array.from({ length: INPUTS }, () => 2 * own() - 1);
  const target = Array.from({ length: OUTPUTS }, (_, o) => x[o]! - 0.5 * x[o + 3]! + 0.2);
  return { x: x.map((value) => value + noise()), target };
}

export const createWorkload: CreateWorkload = async (options): Promise<Workload> => {
  const toy = options as ToyOptions;
  if (toy.absentInWorkers && !isMainThread) throw new Error('no data here');
  const { items: count = 22, batch: size = 5, slow = 0, noise = 0.01 } = toy;
  const draw = (values: Float32Array, random: () => number): void => {
    for (let i = 0; i < values.length; i++) values[i] = random() - 0.5;
  };
  const zero = (values: Float32Array): void => {
    values.fill(0);
  };
  const workload: Workload<ToyBatch> = {
    parameters: new Map([
      ['first.bias', { shape: [HIDDEN], initialise: zero, decay: false }],
      ['first.weight', { shape: [HIDDEN, INPUTS], initialise: draw, decay: true }],
      ['second.weight', { shape: [OUTPUTS, HIDDEN], initialise: draw, decay: true }],
      ['skip.weight', { shape: [OUTPUTS, INPUTS], initialise: draw, decay: true }],
      ['unused.weight', { shape: [2, 2], initialise: draw, decay: false }],
    ]),
    buffers: new Map([['mean', { shape: [OUTPUTS], initial: 1 }]]),
    batches(epoch, seed) {
      const random = createRandom(seed + 7919 * epoch);
      const order = Array.from({ length: count }, (_, i) => [random(), i] as const).sort(([a], [b]) => a - b);
      return Array.from({ length: Math.ceil(count / size) }, (_, b) =>
        order.slice(b * size, (b + 1) * size).map(([, item]) => item),
      );
    },
    describe: (item) => `toy/${item}.wav`,
    async prepare(items, set, random) {
      if (slow > 0) await new Promise((done) => setTimeout(done, slow));
      if (toy.unreadableItem !== undefined && set === 'training' && items.includes(toy.unreadableItem)) {
        throw new Error(`item ${toy.unreadableItem} could not be read`);
      }
      const made = items.map((item) =>
        itemOf(set === 'training' ? item : 500 + item, () => noise * random()),
      );
      const targets = made.map(({ target }, i) =>
        set === 'training' && items[i] === toy.badItem ? target.map(() => Number.NaN) : target,
      );
      return {
        items,
        x: view(Float32Array.from(made.flatMap(({ x }) => x)), [items.length, INPUTS]),
        target: view(Float32Array.from(targets.flat()), [items.length, OUTPUTS]),
      };
    },
    loss(pass, { x, target, items }) {
      if (toy.exitItem !== undefined && items.includes(toy.exitItem)) process.exit(7);
      if (toy.throwItem !== undefined && items.includes(toy.throwItem)) throw new Error('a fault of the toy');
      const noisy = view(
        flat(x).map((value) => value + noise * (pass.random() - 0.5)),
        x.shape,
      );
      const y = network(pass, noisy);
      const sums = new Float64Array(OUTPUTS);
      flat(y.value).forEach((value, i) => {
        sums[i % OUTPUTS]! += value;
      });
      pass.report('outputs', sums);
      pass.report('items', [items.length]);
      const loss = squaredError(y, target, toy.steepItem !== undefined && items.includes(toy.steepItem));
      return { loss, metrics: { first: flat(y.value)[0]! } };
    },
    absorb({ buffers, parameters }, reported, { step, random }) {
      const mean = flat(buffers.get('mean')!);
      const outputs = reported.get('outputs')!;
      const seen = reported.get('items')![0]!;
      for (let i = 0; i < OUTPUTS; i++) mean[i] = 0.9 * mean[i]! + (0.1 * outputs[i]!) / seen;
      if (step % 3 === 0) flat(parameters.get('unused.weight')!).fill(random());
    },
    validationItems: 13,
    validate(pass, { x, target }) {
      const y = network(pass, x);
      return { error: flat(squaredError(y, target, false).value)[0]!, items: x.shape[0]! };
    },
    score: ({ error, items }) => ({
      score: toy.noScore ? Number.NaN : -error! / items!,
      meanError: error! / items!,
    }),
  };
  return workload as Workload;

  function network(pass: Parameters<Workload['loss']>[0], x: Tensor): Variable {
    const input = constant(x);
    const hidden = linear(input, pass.parameter('first.weight'), pass.parameter('first.bias'));
    const y = linear(hidden, pass.parameter('second.weight'), null);
    const skip = linear(input, pass.parameter('skip.weight'), null);
    // One weight used twice.
    return scaledAdd(scaledAdd(y, 0.5, skip), 1, linear(input, pass.parameter('skip.weight'), null));
  }
};
