/** Loads the cloud half of a recogniser, and nothing of the device's: for bundles that only decode. */
import { CloudDecoder } from './cloud-decoder.js';
import { loadCloudHalf } from './load-suffix.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';
import { around } from './projection.js';

export async function cloudDecoderOf(model: OpenModel): Promise<CloudDecoder> {
  const { suffix, projection } = await loadCloudHalf(model, 'recognition');
  const { quantizer, coder } = await model.shared();
  return new CloudDecoder(coder, suffix, around(quantizer, null, projection));
}

/** .acom bytes to words, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudDecoder(source: ModelSource): Promise<CloudDecoder> {
  return cloudDecoderOf(await openModel(source));
}
