/** The cloud's layers of a network. Each kind's are loaded when the first of them is opened. */
import type { NetworkConfig } from './kinds.js';
import type { Suffix, Within } from './network.js';
import type { Parameters } from './parameters.js';

export async function loadSuffix(
  parameters: Parameters,
  network: NetworkConfig,
  splitLayer: number,
  within: Within = (make) => make(),
): Promise<Suffix> {
  switch (network.type) {
    case 'speechbrain-conformer-ctc': {
      const { ConformerSuffix } = await import('./conformer-suffix.js');
      return within(() => new ConformerSuffix(parameters, network, splitLayer));
    }
    case 'cnn14': {
      const { Cnn14Suffix } = await import('./cnn14.js');
      return within(() => new Cnn14Suffix(parameters, network, splitLayer));
    }
    case 'keyword-cnn': {
      const { KeywordCnnSuffix } = await import('./keyword-cnn.js');
      return within(() => new KeywordCnnSuffix(parameters, network, splitLayer));
    }
    case 'keyword-conformer': {
      const { KeywordConformerSuffix } = await import('./keyword-conformer-suffix.js');
      return within(() => new KeywordConformerSuffix(parameters, network, splitLayer));
    }
  }
}
