/** Loads the cloud half, and nothing of the device's: for bundles that only decode. */
import { ConformerSuffix, Parameters } from '../nn/index.js';
import { CloudDecoder } from './cloud-decoder.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';

/** The network of the cloud half. */
export async function suffixOf(model: OpenModel): Promise<ConformerSuffix> {
  const parameters = new Parameters(await model.tensors('cloud'));
  const suffix = new ConformerSuffix(parameters, model.config.network, model.config.splitLayer);
  parameters.requireComplete(`codec model ${model.config.name}, cloud half`);
  return suffix;
}

export async function cloudDecoderOf(model: OpenModel): Promise<CloudDecoder> {
  const { quantizer, coder } = await model.shared();
  return new CloudDecoder(coder, await suffixOf(model), quantizer);
}

/** .acom bytes to words, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudDecoder(source: ModelSource): Promise<CloudDecoder> {
  return cloudDecoderOf(await openModel(source));
}
