/** The cloud's layers of a network. Each kind's are loaded when the first of them is opened. */
import type { NetworkConfig } from './kinds.js';
import type { Suffix } from './network.js';
import type { Parameters } from './parameters.js';

export async function loadSuffix(
  parameters: Parameters,
  network: NetworkConfig,
  splitLayer: number,
): Promise<Suffix> {
  switch (network.type) {
    case 'speechbrain-conformer-ctc': {
      const { ConformerSuffix } = await import('./conformer-suffix.js');
      return new ConformerSuffix(parameters, network, splitLayer);
    }
    case 'cnn14': {
      const { Cnn14Suffix } = await import('./cnn14.js');
      return new Cnn14Suffix(parameters, network, splitLayer);
    }
    case 'keyword-cnn': {
      const { KeywordCnnSuffix } = await import('./keyword-cnn.js');
      return new KeywordCnnSuffix(parameters, network, splitLayer);
    }
  }
}
