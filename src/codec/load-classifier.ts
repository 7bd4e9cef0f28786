/** Loads the cloud half of a classifier, and nothing of the device's: for bundles that only decode. */
import { CloudClassifier } from './cloud-classifier.js';
import { loadCloudHalf } from './load-suffix.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';
import { around } from './projection.js';

export async function cloudClassifierOf(model: OpenModel): Promise<CloudClassifier> {
  const { suffix, projection } = await loadCloudHalf(model, 'classification');
  const { quantizer, coder } = await model.shared();
  return new CloudClassifier(coder, suffix, around(quantizer, null, projection));
}

/** .acom bytes to labels, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudClassifier(source: ModelSource): Promise<CloudClassifier> {
  return cloudClassifierOf(await openModel(source));
}
