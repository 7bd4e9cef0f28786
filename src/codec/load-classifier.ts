/** Loads the cloud half of a classifier, and nothing of the device's: for bundles that only decode. */
import { Cnn14Suffix, KeywordCnnSuffix, type NetworkConfig, Parameters, type Suffix } from '../nn/index.js';
import { ModelError } from '../tensor/index.js';
import { CloudClassifier } from './cloud-classifier.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';
import { VectorLayout } from './vector-layout.js';

function suffixFrom(parameters: Parameters, network: NetworkConfig, layer: number): Suffix {
  switch (network.type) {
    case 'cnn14':
      return new Cnn14Suffix(parameters, network, layer);
    case 'keyword-cnn':
      return new KeywordCnnSuffix(parameters, network, layer);
    default:
      throw new ModelError(`a network of type ${network.type} does not classify`);
  }
}

/** The network of the cloud half of a classifier. */
export const classifierSuffixOf = (model: OpenModel): Promise<Suffix> =>
  model.once('classifier', async () => {
    model.requireTask('classification', 'transcribe or decode words with it');
    const parameters = new Parameters(await model.tensors('cloud'));
    const suffix = suffixFrom(parameters, model.config.network, new VectorLayout(model.config).layer);
    parameters.requireComplete(`codec model ${model.config.name}, cloud half`);
    return suffix;
  });

export async function cloudClassifierOf(model: OpenModel): Promise<CloudClassifier> {
  const suffix = await classifierSuffixOf(model);
  const { quantizer, coder } = await model.shared();
  return new CloudClassifier(coder, suffix, quantizer);
}

/** .acom bytes to labels, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudClassifier(source: ModelSource): Promise<CloudClassifier> {
  return cloudClassifierOf(await openModel(source));
}
