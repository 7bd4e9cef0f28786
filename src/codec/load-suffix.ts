import { Parameters, type Suffix } from '../nn/index.js';
import { loadSuffix } from '../nn/load-suffix.js';
import { ModelError } from '../tensor/index.js';
import type { Task } from './config.js';
import type { OpenModel } from './open-model.js';
import { VectorLayout } from './vector-layout.js';

const INSTEAD: Readonly<Record<Task, string>> = {
  recognition: 'use cloudDecoder or uncutRecognizer (acom decode, acom transcribe)',
  classification: 'use cloudClassifier or uncutClassifier (acom decode, acom classify)',
};

/** The network of the cloud half. Throws ModelError where the model has another task than `wanted`. */
export function loadSuffixOf(model: OpenModel, wanted: Task): Promise<Suffix> {
  const { name, task, network } = model.config;
  if (task !== wanted) {
    throw new ModelError(`${name} is a model for ${task}, not for ${wanted}: ${INSTEAD[task]}`);
  }
  return model.once('cloud network', async () => {
    const parameters = new Parameters(await model.tensors('cloud'));
    const suffix = await loadSuffix(parameters, network, new VectorLayout(model.config).layer);
    parameters.requireComplete(`codec model ${name}, cloud half`);
    return suffix;
  });
}
