/** What a conformer encoder is before it has weights. */
import { ModelError } from '../tensor/index.js';
import { requireSizes } from './sizes.js';

/**
 * Frames that an encoder takes together, so that it can run while a recording goes on. In each layer attention of a chunk's
 * frames reaches the chunk and `past` frames before it, and a convolution all that is before the chunk's end: what is behind
 * it is zero (Li et al. 2023, dynamic chunk convolution).
 */
export interface ChunkConfig {
  readonly frames: number;
  readonly past: number;
}

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
  /** Left out: each frame knows all others. */
  readonly chunks?: ChunkConfig;
}

/** Sizes beyond every published model. */
const MOST = { width: 8192, heads: 256, layers: 256, feedForward: 65536, depthwiseTaps: 1023 };
const MOST_CHUNK = 4096;

/** Throws ModelError, beginning with `network`, where a configuration could be no encoder. */
export function checkEncoder(network: string, encoder: EncoderConfig): void {
  requireSizes(network, { ...encoder }, MOST);
  const { width, heads, depthwiseTaps, positions = 'relative', chunks } = encoder;
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
  if (chunks === undefined) return;
  if (typeof chunks !== 'object' || chunks === null) fail('chunks are no { frames, past }');
  const isCount = (n: unknown, least: number) =>
    Number.isInteger(n) && (n as number) >= least && (n as number) <= MOST_CHUNK;
  if (!isCount(chunks.frames, 1) || !isCount(chunks.past, 0)) {
    fail(
      `chunks have ${chunks.frames} frames and ${chunks.past} before them, expected 1 and 0 to ${MOST_CHUNK}`,
    );
  }
  if (positions === 'rotary') fail('chunks have relative positions, not rotary ones');
}
