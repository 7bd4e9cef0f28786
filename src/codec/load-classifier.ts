/** Loads the cloud half of a classifier, and nothing of the device's: for bundles that only decode. */
import { CloudClassifier } from './cloud-classifier.js';
import { loadSuffixOf } from './load-suffix.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';

export async function cloudClassifierOf(model: OpenModel): Promise<CloudClassifier> {
  const suffix = await loadSuffixOf(model, 'classification');
  const { quantizer, coder } = await model.shared();
  return new CloudClassifier(coder, suffix, quantizer);
}

/** .acom bytes to labels, from a whole model or its cloud file; throws as `loadCodecModel` does. */
export async function loadCloudClassifier(source: ModelSource): Promise<CloudClassifier> {
  return cloudClassifierOf(await openModel(source));
}
