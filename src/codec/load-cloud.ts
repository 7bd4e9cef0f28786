/** Loads the cloud half of a recogniser, and nothing of the device's: for bundles that only decode. */
import { CodewordTable } from '../quantizer/codeword-table.js';
import { projectedTable } from '../quantizer/projected-quantizer.js';
import { CloudDecoder } from './cloud-decoder.js';
import { loadCloudHalf } from './load-suffix.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';

export async function cloudDecoderOf(model: OpenModel): Promise<CloudDecoder> {
  const { suffix, projection } = await loadCloudHalf(model, 'recognition');
  const { codebooks, coder } = await model.shared();
  const table = projectedTable(new CodewordTable(codebooks, coder.groups), projection);
  return new CloudDecoder(coder, suffix, table);
}

/** .acom bytes to words, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudDecoder(source: ModelSource): Promise<CloudDecoder> {
  return cloudDecoderOf(await openModel(source));
}
