/** The device's layers of a network. Each kind's are loaded when the first of them is opened: a device has but one. */
import type { NetworkConfig } from './kinds.js';
import type { Prefix, Within } from './network.js';
import type { Parameters } from './parameters.js';

export async function loadPrefix(
  parameters: Parameters,
  network: NetworkConfig,
  splitLayer: number,
  within: Within = (make) => make(),
): Promise<Prefix> {
  switch (network.type) {
    case 'speechbrain-conformer-ctc': {
      const { ConformerPrefix } = await import('./conformer-prefix.js');
      return within(() => new ConformerPrefix(parameters, network, splitLayer));
    }
    case 'cnn14': {
      const { Cnn14Prefix } = await import('./cnn14.js');
      return within(() => new Cnn14Prefix(parameters, network, splitLayer));
    }
    case 'keyword-cnn': {
      const { KeywordCnnPrefix } = await import('./keyword-cnn.js');
      return within(() => new KeywordCnnPrefix(parameters, network, splitLayer));
    }
    case 'keyword-conformer': {
      const { KeywordConformerPrefix } = await import('./keyword-conformer-prefix.js');
      return within(() => new KeywordConformerPrefix(parameters, network, splitLayer));
    }
  }
}
