/** How samples and vectors of a model count: in frames that go on and on for a recogniser, in clips for a classifier. */
import { UsageError } from '../tensor/index.js';

/** Longest recording that one stream carries; it bounds what a header can make a decoder allocate. */
export const MOST_SECONDS = 24 * 3600;

export interface Timing {
  readonly sampleRate: number;
  readonly vectorsPerSecond: number;
  seconds(samples: number): number;
  /** Vectors that stand for a recording; none where there are no samples. */
  vectors(samples: number): number;
  /** Vectors of a packet that lasts about so long. */
  packetVectors(seconds: number): number;
}

/** For encoders: throws where a recording is too long for one stream. */
export function requireLength(timing: Timing, samples: number): void {
  const seconds = timing.seconds(samples);
  if (seconds <= MOST_SECONDS) return;
  throw new UsageError(
    `a recording of ${Math.round(seconds)} s is longer than the ${MOST_SECONDS} s that one stream carries: split it ` +
      'into several',
  );
}
