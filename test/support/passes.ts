/** Passes of networks outside of a trainer. */
import { Tape, type Variable } from '../../src/autograd/index.js';
import { createRandom, ModelError, type Tensor, zeros } from '../../src/tensor/index.js';
import type { Pass, TrainableNetwork } from '../../src/training/networks/network.js';

/** Fresh parameters of a network, by name. */
export function initialParameters(network: TrainableNetwork, seed: number): Map<string, Tensor> {
  const random = createRandom(seed);
  return new Map(
    [...network.parameters].map(([name, { shape, initialise }]) => {
      const tensor = zeros(shape);
      initialise(tensor.data, random);
      return [name, tensor];
    }),
  );
}

export interface TestPass extends Pass {
  readonly tape: Tape;
  /** The parameters that were asked for. */
  readonly leaves: ReadonlyMap<string, Variable>;
}

/** A pass over `parameters`, each a leaf of one tape. */
export function passOf(
  parameters: ReadonlyMap<string, Tensor>,
  { training = false, seed = 1 }: { training?: boolean; seed?: number } = {},
): TestPass {
  const tape = new Tape();
  const leaves = new Map<string, Variable>();
  return {
    tape,
    leaves,
    training,
    random: createRandom(seed),
    parameter(name) {
      const value = parameters.get(name);
      if (value === undefined) throw new ModelError(`there is no parameter ${name}`);
      const leaf = leaves.get(name) ?? tape.variable(value);
      leaves.set(name, leaf);
      return leaf;
    },
    buffer(name) {
      throw new ModelError(`there is no buffer ${name}`);
    },
    report() {},
  };
}
