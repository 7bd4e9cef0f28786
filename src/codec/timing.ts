/** How samples and vectors of a model count: in frames that go on and on for a recogniser, in clips for a classifier. */
import { UsageError } from '../tensor/index.js';

/** Longest recording that one stream carries. */
export const MOST_SECONDS = 24 * 3600;

/** Most vectors that one stream carries: with all stages they are a gigabyte of indices, which a header may claim. */
export const MOST_VECTORS = 1 << 24;

export interface Timing {
  readonly sampleRate: number;
  readonly vectorsPerSecond: number;
  seconds(samples: number): number;
  /** Vectors that stand for a recording; none where there are no samples. */
  vectors(samples: number): number;
  /** Vectors of a packet that lasts about so long. */
  packetVectors(seconds: number): number;
}

/** Seconds of the longest recording that one stream of a model carries. */
export const mostSeconds = ({ vectorsPerSecond }: Timing): number =>
  Math.min(MOST_SECONDS, Math.floor(MOST_VECTORS / vectorsPerSecond));

/** For encoders: throws where a recording is too long for one stream. */
export function requireLength(timing: Timing, samples: number): void {
  const seconds = timing.seconds(samples);
  const most = mostSeconds(timing);
  if (seconds <= most) return;
  throw new UsageError(
    `a recording of ${Math.round(seconds)} s is longer than the ${most} s that one stream carries: split it into several`,
  );
}
