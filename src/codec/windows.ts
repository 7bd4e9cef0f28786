/**
 * Long recordings in pieces. Attention sees every frame at once, which costs the square of the length and
 * meets lengths that no network was trained on; so a long recording is run in windows that overlap, and from
 * each window only the vectors in its core are kept. A short recording is one window, and comes out exactly
 * as if there were none. The floor under the features is each window's own, as it was each utterance's in
 * training. Both halves plan alike, so nothing of this is in the stream.
 */

/** Vectors start .. end - 1 are run, vectors from .. to - 1 of them are kept. */
export interface Window {
  readonly start: number;
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

/** Lengths in seconds. `core` and `context` together are at most `whole`. */
export interface WindowSeconds {
  /** What one window holds without being split. */
  readonly whole: number;
  /** What is kept of each window of a recording that is split. */
  readonly core: number;
  /** What is run with it on each side. */
  readonly context: number;
}

/** On utterances joined to minutes, windows from 8 to 60 s make the same number of errors; these are fast. */
export const WINDOW_SECONDS: WindowSeconds = { whole: 20, core: 12, context: 2 };

/** What is kept of a window of chunks lasts about so long, and is at least so many times what is run before it. */
const CHUNKS_SECONDS = 20;
const LEAST_TIMES = 4;

/**
 * Windows of `total` vectors for layers that run in chunks of `chunk` vectors and depend on `reach` vectors before a chunk: what is
 * kept of them is, to the last bit, what comes out of all at once.
 */
export function* windowsOfChunks(
  total: number,
  chunk: number,
  reach: number,
  vectorsPerSecond: number,
): Generator<Window> {
  const core = chunk * Math.ceil(Math.max(CHUNKS_SECONDS * vectorsPerSecond, LEAST_TIMES * reach) / chunk);
  for (let from = 0; from < total; from += core) {
    const to = Math.min(total, from + core);
    yield { start: Math.max(0, from - reach), from, to, end: to };
  }
}

export class WindowPlan {
  private readonly whole: number;
  private readonly core: number;
  private readonly context: number;

  constructor(vectorsPerSecond: number, seconds = WINDOW_SECONDS) {
    this.whole = Math.round(seconds.whole * vectorsPerSecond);
    // A core of none would never end: a model's vectors may be minutes apart.
    this.core = Math.max(1, Math.round(seconds.core * vectorsPerSecond));
    this.context = Math.round(seconds.context * vectorsPerSecond);
  }

  /**
   * The window that keeps vectors from `from` on, where `available` vectors are there so far; null where more
   * must come first. `finished` says that no more will.
   */
  next(from: number, available: number, finished: boolean): Window | null {
    const start = this.earliest(from);
    if (available - from > this.whole) {
      const to = from + this.core;
      return { start, from, to, end: to + this.context };
    }
    return finished && available > from ? { start, from, to: available, end: available } : null;
  }

  /** The first vector that the window which keeps vectors from `from` on is run with. */
  earliest(from: number): number {
    return Math.max(0, from - this.context);
  }

  /** The windows of `total` vectors. */
  *all(total: number): Generator<Window> {
    let from = 0;
    for (let window = this.next(from, total, true); window; window = this.next(from, total, true)) {
      yield window;
      from = window.to;
    }
  }
}
