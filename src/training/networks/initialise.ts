/** How fresh parameters are set. */
import { createNormal } from '../../tensor/random.js';
import type { ParameterSpec } from './network.js';

type Initialise = ParameterSpec['initialise'];

/** Every number the same: 1 for the weights of norms, 0 for biases. */
export const all =
  (value: number): Initialise =>
  (values) => {
    values.fill(value);
  };

/**
 * Uniform in ±√(6 / (inputs + outputs)), which keeps the variance of values and gradients from layer to layer alike (Glorot
 * and Bengio 2010). A convolution's inputs and outputs count once for each tap.
 */
export const glorotUniform =
  (inputs: number, outputs: number): Initialise =>
  (values, random) => {
    const bound = Math.sqrt(6 / (inputs + outputs));
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random() - 1);
  };

/** Normal with variance 2 / (inputs + outputs): the same, drawn otherwise. */
export const glorotNormal =
  (inputs: number, outputs: number): Initialise =>
  (values, random) => {
    const normal = createNormal(random);
    const deviation = Math.sqrt(2 / (inputs + outputs));
    for (let i = 0; i < values.length; i++) values[i] = deviation * normal();
  };

/**
 * Uniform in ±1 / √inputs: what PyTorch draws weights and biases of linear maps and convolutions from, where nothing else is
 * said. A convolution's inputs count once for each tap.
 */
export const fanInUniform =
  (inputs: number): Initialise =>
  (values, random) => {
    const bound = 1 / Math.sqrt(inputs);
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random() - 1);
  };
