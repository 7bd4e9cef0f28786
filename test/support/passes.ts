/** Passes of networks outside of a trainer: their numbers come from a map. */
import { constant, Tape, type Variable } from '../../src/autograd/index.js';
import { createRandom, type NdArray, type Tensor, type TypedArray, zeros } from '../../src/tensor/index.js';
import type { Pass, TrainableNetwork } from '../../src/training/networks/network.js';

export type Numbers = ReadonlyMap<string, NdArray<TypedArray>>;

/** Numbers that a network begins with. */
export function initialNumbers(network: TrainableNetwork, seed: number): Map<string, Tensor> {
  const random = createRandom(seed);
  const numbers = new Map<string, Tensor>();
  for (const [name, { shape, initialise }] of network.parameters) {
    const x = zeros(shape);
    initialise(x.data, random);
    numbers.set(name, x);
  }
  for (const [name, { shape, initial }] of network.buffers) {
    const x = zeros(shape);
    x.data.fill(initial);
    numbers.set(name, x);
  }
  return numbers;
}

export interface TestPass extends Pass {
  readonly tape: Tape;
  /** The parameters that were asked for. */
  readonly leaves: ReadonlyMap<string, Variable>;
  readonly reported: ReadonlyMap<string, Float64Array>;
  /** Zeros where nothing arrived. */
  gradientOf(name: string): Tensor;
}

/** `variables` says whether parameters are on a tape. */
export function passOf(
  numbers: Numbers,
  {
    training = false,
    seed = 1,
    variables = true,
  }: { training?: boolean; seed?: number; variables?: boolean } = {},
): TestPass {
  const tape = new Tape();
  const leaves = new Map<string, Variable>();
  const reported = new Map<string, Float64Array>();
  const find = (name: string): Tensor => {
    const found = numbers.get(name);
    if (found?.data instanceof Float32Array) return found as Tensor;
    throw new Error(`there are no numbers ${name}`);
  };
  return {
    tape,
    leaves,
    training,
    reported,
    random: createRandom(seed),
    parameter(name) {
      const leaf = leaves.get(name) ?? (variables ? tape.variable(find(name)) : constant(find(name)));
      leaves.set(name, leaf);
      return leaf;
    },
    buffer: find,
    report(name, values) {
      const sums = reported.get(name) ?? new Float64Array(values.length);
      reported.set(
        name,
        sums.map((sum, i) => sum + values[i]!),
      );
    },
    gradientOf: (name) => leaves.get(name)?.gradient ?? zeros(find(name).shape),
  };
}
