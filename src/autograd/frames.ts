/** Frames of recordings that lie one after another, pooled to fewer and repeated to as many again. */
import { addInto } from '../ops/elementwise.js';
import { poolPackedFrames } from '../ops/frame-pooling.js';
import { scale } from '../ops/products.js';
import { repeatFrames as repeatFramesValue, sumFrames } from '../ops/repeat-frames.js';
import { type Tensor, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/**
 * Means of every `factor` consecutive frames of each recording, x [Σ lengths, width], as the codec makes them: a group that
 * the end of a recording leaves incomplete counts its last frame again. Gives [Σ ceil(lengths / factor), width].
 *
 * dx of a frame is dy of its group / factor, for a last frame as often as it counted.
 */
export function poolFrames(x: Variable, lengths: readonly number[], factor: number): Variable {
  return record([x], poolPackedFrames(x.value, lengths, factor), (dy) => {
    const shares = scale(dy, 1 / factor);
    const dx = repeatFramesValue(shares, lengths, factor);
    const width = dx.shape[1]!;
    const row = ({ data, offset }: Tensor, r: number) => view(data, [width], undefined, offset + r * width);
    let [frame, group] = [0, 0];
    for (const length of lengths) {
      frame += length;
      group += Math.ceil(length / factor);
      const again = Math.ceil(length / factor) * factor - length;
      for (let n = 0; n < again; n++) {
        const last = row(dx, frame - 1);
        addInto(last, row(shares, group - 1), last);
      }
    }
    x.accumulate(dx);
  });
}

/**
 * The partner of `poolFrames`: each row of x [Σ ceil(lengths / factor), width] stands for `factor` frames again, for fewer
 * where its recording ends. Gives [Σ lengths, width]; dx is the sum of dy over the frames of a row.
 */
export const repeatFrames = (x: Variable, lengths: readonly number[], factor: number): Variable =>
  record([x], repeatFramesValue(x.value, lengths, factor), (dy) =>
    x.accumulate(sumFrames(dy, lengths, factor)),
  );
