/** Loads the cloud half of a recogniser, and nothing of the device's: for bundles that only decode. */
import { ConformerSuffix, Parameters, type Suffix } from '../nn/index.js';
import { CloudDecoder } from './cloud-decoder.js';
import { recognizerOf } from './config.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';
import { VectorLayout } from './vector-layout.js';

/** The network of the cloud half of a recogniser. */
export const suffixOf = (model: OpenModel): Promise<Suffix> =>
  model.once('recogniser', async () => {
    model.requireTask('recognition', 'classify with it');
    const parameters = new Parameters(await model.tensors('cloud'));
    const { network } = recognizerOf(model.config);
    const suffix = new ConformerSuffix(parameters, network, new VectorLayout(model.config).layer);
    parameters.requireComplete(`codec model ${model.config.name}, cloud half`);
    return suffix;
  });

export async function cloudDecoderOf(model: OpenModel): Promise<CloudDecoder> {
  const suffix = await suffixOf(model);
  const { quantizer, coder } = await model.shared();
  return new CloudDecoder(coder, suffix, quantizer);
}

/** .acom bytes to words, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudDecoder(source: ModelSource): Promise<CloudDecoder> {
  return cloudDecoderOf(await openModel(source));
}
