/** Loads the cloud half of a classifier, and nothing of the device's: for bundles that only decode. */
import { CodewordTable } from '../quantizer/codeword-table.js';
import { projectedTable } from '../quantizer/projected-quantizer.js';
import { CloudClassifier } from './cloud-classifier.js';
import { loadCloudHalf } from './load-suffix.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';

export async function cloudClassifierOf(model: OpenModel): Promise<CloudClassifier> {
  const { suffix, projection } = await loadCloudHalf(model, 'classification');
  const { codebooks, coder } = await model.shared();
  const table = projectedTable(new CodewordTable(codebooks, coder.groups), projection);
  return new CloudClassifier(coder, suffix, table);
}

/** .acom bytes to labels, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudClassifier(source: ModelSource): Promise<CloudClassifier> {
  return cloudClassifierOf(await openModel(source));
}
