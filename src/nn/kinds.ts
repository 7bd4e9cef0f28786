/** Every kind of network that a codec can cut. */
import { type Cnn14Config, cnn14Kind } from './cnn14-config.js';
import type { ConformerCtcConfig } from './conformer-ctc.js';
import { conformerKind } from './conformer-kind.js';
import { type KeywordCnnConfig, keywordCnnKind } from './keyword-cnn-config.js';
import { type KeywordConformerConfig, keywordConformerKind } from './keyword-conformer-config.js';
import type { NetworkKind } from './network.js';

export type NetworkConfig = ConformerCtcConfig | Cnn14Config | KeywordCnnConfig | KeywordConformerConfig;

const kinds = {
  'speechbrain-conformer-ctc': conformerKind,
  cnn14: cnn14Kind,
  'keyword-cnn': keywordCnnKind,
  'keyword-conformer': keywordConformerKind,
} as const satisfies {
  [Type in NetworkConfig['type']]: NetworkKind<Extract<NetworkConfig, { type: Type }>>;
};

export const NETWORK_TYPES = Object.keys(kinds) as NetworkConfig['type'][];

/** The kind of a network; for a configuration of that kind. */
export const kindOf = <C extends NetworkConfig>({ type }: C): NetworkKind<C> =>
  kinds[type] as unknown as NetworkKind<C>;
