import type { NetworkConfig } from './kinds.js';
import { kindOf } from './kinds.js';
import { loadPrefix } from './load-prefix.js';
import { loadSuffix } from './load-suffix.js';
import { Parameters } from './parameters.js';

/** Names and shapes of all parameters that a network asks for: it is built without any, and says what it lacks. */
export async function parameterShapes(network: NetworkConfig): Promise<Map<string, readonly number[]>> {
  const asked = new Map<string, readonly number[]>();
  const none = new Parameters(new Map(), '', [], asked);
  const layers = kindOf(network).layers(network);
  await loadPrefix(none, network, layers);
  await loadSuffix(none, network, layers);
  return asked;
}
