import { loadSuffix } from '../nn/load-suffix.js';
import type { Suffix } from '../nn/network.js';
import { Parameters } from '../nn/parameters.js';
import type { Projection } from '../quantizer/projected-quantizer.js';
import { ModelError } from '../tensor/index.js';
import type { NetworkModelConfig, Task } from './config.js';
import type { OpenModel } from './open-model.js';
import { decodeProjection } from './projection.js';
import { VectorLayout } from './vector-layout.js';

const INSTEAD: Readonly<Record<Task, string>> = {
  recognition: 'use cloudDecoder or uncutRecognizer (acom decode, acom transcribe)',
  classification: 'use cloudClassifier or uncutClassifier (acom decode, acom classify)',
};

/** What the cloud half has besides codebooks and tables. */
export interface CloudHalf {
  readonly suffix: Suffix;
  readonly projection: Projection | null;
}

/** Throws ModelError where a model has another task than `wanted`. */
export function requireTask({ name, task }: NetworkModelConfig, wanted: Task): void {
  if (task === wanted) return;
  throw new ModelError(`${name} is a model for ${task}, not for ${wanted}: ${INSTEAD[task]}`);
}

/** The network of the cloud half and what stands before it. Throws ModelError where the model has another task than `wanted`. */
export function loadCloudHalf(model: OpenModel, wanted: Task): Promise<CloudHalf> {
  const { name, network } = model.config;
  requireTask(model.config, wanted);
  return model.once('cloud half', async () => {
    const parameters = new Parameters(await model.tensors('cloud'));
    const projection = decodeProjection(model.config, parameters);
    const suffix = await loadSuffix(parameters, network, new VectorLayout(model.config).layer);
    parameters.requireComplete(`codec model ${name}, cloud half`);
    return { suffix, projection };
  });
}
