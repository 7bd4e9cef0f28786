/** What a conformer encoder is before it has weights. */
import { ModelError } from '../tensor/index.js';
import { requireSizes } from './sizes.js';

export interface EncoderConfig {
  /** Features of a frame inside the encoder. */
  readonly width: number;
  readonly heads: number;
  /** Encoder layers of the whole model. */
  readonly layers: number;
  /** Hidden features of the feed-forward modules. */
  readonly feedForward: number;
  /** Taps of the depthwise convolution, an odd number. */
  readonly depthwiseTaps: number;
  /** How attention knows the order of frames; relative where it is left out. */
  readonly positions?: 'relative' | 'rotary';
}

/** Sizes beyond every published model. */
const MOST = { width: 8192, heads: 256, layers: 256, feedForward: 65536, depthwiseTaps: 1023 };

/** Throws ModelError, beginning with `network`, where a configuration could be no encoder. */
export function checkEncoder(network: string, encoder: EncoderConfig): void {
  requireSizes(network, { ...encoder }, MOST);
  const { width, heads, depthwiseTaps, positions = 'relative' } = encoder;
  const fail = (message: string): never => {
    throw new ModelError(`${network}: ${message}`);
  };
  if (width % heads !== 0) fail(`a width of ${width} does not divide into ${heads} heads`);
  if (positions !== 'relative' && positions !== 'rotary') {
    fail(`positions are ${String(positions)}, expected relative or rotary`);
  }
  if (positions === 'rotary' && (width / heads) % 2 !== 0) {
    fail(`rotary positions turn pairs of features, and heads have ${width / heads}`);
  }
  if (depthwiseTaps % 2 === 0) fail(`${depthwiseTaps} depthwise taps have no centre`);
}
