/** A training state in memory, and passes over it that keep what was reported. */
import { Tape } from '../../../src/autograd/index.js';
import { createRandom, view, zeros } from '../../../src/tensor/index.js';
import type { Pass } from '../../../src/training/networks/network.js';
import type { TrainableQuantizer } from '../../../src/training/quantizer/index.js';
import type { TrainingState } from '../../../src/training/run/workload.js';

export function stateOf(quantizer: TrainableQuantizer, seed = 1): TrainingState {
  const random = createRandom(seed);
  const parameters = [...quantizer.parameters].map(([name, { shape, initialise }]) => {
    const values = zeros(shape);
    initialise(values.data, random);
    return [name, values] as const;
  });
  const buffers = [...quantizer.buffers].map(([name, { shape, initial }]) => {
    const values = zeros(shape);
    values.data.fill(initial);
    return [name, values] as const;
  });
  return { parameters: new Map(parameters), buffers: new Map(buffers) };
}

/** A pass that adds what is reported to `reported`, as the sum over shards does. */
export function passOf(
  { parameters, buffers }: TrainingState,
  reported: Map<string, Float64Array>,
  { training = true, seed = 1, tape = new Tape() } = {},
): Pass & { readonly tape: Tape } {
  const found = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const value = map.get(name);
    if (value === undefined) throw new Error(`no ${name}`);
    return value;
  };
  const variables = new Map([...parameters].map(([name, value]) => [name, tape.variable(value)]));
  return {
    tape,
    parameter: (name) => found(variables, name),
    buffer: (name) => found(buffers, name),
    training,
    random: createRandom(seed),
    report(name, values) {
      const sum = reported.get(name) ?? new Float64Array(values.length);
      for (let i = 0; i < values.length; i++) sum[i]! += values[i]!;
      reported.set(name, sum);
    },
  };
}

/** Vectors around `centres`, `spread` away from them at most. */
export function clusters(
  centres: readonly (readonly number[])[],
  each: number,
  spread: number,
  seed: number,
) {
  const random = createRandom(seed);
  const width = centres[0]!.length;
  const data = Array.from({ length: each }, () =>
    centres.map((centre) => centre.map((x) => x + spread * (2 * random() - 1))),
  ).flat(2);
  return view(Float32Array.from(data), [each * centres.length, width]);
}
