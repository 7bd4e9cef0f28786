/** Every kind of network that a codec can cut. */
import type { ConformerCtcConfig } from './conformer-ctc.js';
import { conformerKind } from './conformer-kind.js';
import type { NetworkKind } from './network.js';

export type NetworkConfig = ConformerCtcConfig;

const kinds = { 'speechbrain-conformer-ctc': conformerKind } as const satisfies {
  [Type in NetworkConfig['type']]: NetworkKind<Extract<NetworkConfig, { type: Type }>>;
};

export const NETWORK_TYPES = Object.keys(kinds) as NetworkConfig['type'][];

/** The kind of a network; for a configuration of that kind. */
export const kindOf = <C extends NetworkConfig>({ type }: C): NetworkKind<C> =>
  kinds[type] as unknown as NetworkKind<C>;
