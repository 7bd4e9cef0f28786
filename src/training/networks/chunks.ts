/**
 * Chunks in training: every chunk of a recording with the frames before it that it knows, as if it were a recording of its own.
 * What becomes of the frames before it there is not used: work that is small for utterances of seconds.
 */
import type { ChunkConfig } from '../../nn/index.js';

export interface ChunkWindows {
  /** Frames of all windows, one window after another, by their numbers among all frames. */
  readonly rows: readonly number[];
  /** Frames of each window. */
  readonly lengths: readonly number[];
  /** Where each frame stands in the window of its own chunk. */
  readonly kept: readonly number[];
}

/** The windows of recordings of `lengths` frames, which lie one after another. */
export function chunkWindows(lengths: readonly number[], { frames, past }: ChunkConfig): ChunkWindows {
  const windows = { rows: [] as number[], lengths: [] as number[], kept: [] as number[] };
  let recording = 0;
  for (const length of lengths) {
    for (let chunk = 0; chunk < length; chunk += frames) {
      const [from, to] = [Math.max(0, chunk - past), Math.min(length, chunk + frames)];
      for (let frame = from; frame < to; frame++) {
        if (frame >= chunk) windows.kept.push(windows.rows.length);
        windows.rows.push(recording + frame);
      }
      windows.lengths.push(to - from);
    }
    recording += length;
  }
  return windows;
}
