/** The maps around a quantiser that works in a space of its own, where a codec model has them. */
import { Linear } from '../nn/linear.js';
import type { Parameters } from '../nn/parameters.js';
import type { Projection } from '../quantizer/projected-quantizer.js';
import type { NetworkModelConfig } from './config.js';
import { isCodec } from './config.js';
import { DECODE, ENCODE } from './model-file.js';
import { VectorLayout } from './vector-layout.js';

/** The device's map, from vectors to the quantiser's space: `quantizer.encode` [projection, width]. */
export function encodeProjection(config: NetworkModelConfig, parameters: Parameters): Projection | null {
  const projection = isCodec(config) ? config.quantizer.projection : undefined;
  if (projection === undefined) return null;
  return new Linear(parameters.scope(ENCODE), new VectorLayout(config).width, projection);
}

/** The cloud's map, back: `quantizer.decode` [width, projection]. */
export function decodeProjection(config: NetworkModelConfig, parameters: Parameters): Projection | null {
  const projection = isCodec(config) ? config.quantizer.projection : undefined;
  if (projection === undefined) return null;
  return new Linear(parameters.scope(DECODE), projection, new VectorLayout(config).width);
}
