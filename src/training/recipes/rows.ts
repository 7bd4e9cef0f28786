import { createRandom } from '../../tensor/index.js';
import { integer, type Range, shuffled } from '../augmentation/index.js';

/** Clips of a row. */
const CLIPS: Range = [1, 8];
/** Rows that each clip is in. */
const TURNS = 2;

/**
 * Clips in rows of a few, each filled up to the length that is classified at once: it is learned from them how codewords follow
 * one another within a clip, and how a clip follows another.
 */
export function* inRows(
  clips: readonly { samples(): Float32Array }[],
  clipSamples: number,
): Generator<Float32Array> {
  const random = createRandom(2);
  for (let turn = 0; turn < TURNS; turn++) {
    const left = shuffled(random, clips);
    while (left.length > 0) {
      const row = left.splice(0, integer(random, CLIPS));
      const samples = new Float32Array(row.length * clipSamples);
      row.forEach((clip, n) => {
        samples.set(clip.samples().subarray(0, clipSamples), n * clipSamples);
      });
      yield samples;
    }
  }
}
