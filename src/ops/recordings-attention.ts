/** Relative attention over recordings that lie one after another, without padding, and its gradients: for training. */
import { relativeAttentionBackwardVariants } from '../../kernels/relative-attention/backward/variants.js';
import { relativeAttentionVariants } from '../../kernels/relative-attention/variants.js';
import { contiguous, empty, type NdArray, ShapeError, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank, requireShape, vectorOf } from './shapes.js';

export interface RecordingsAttentionInputs<T> {
  /** [Σ lengths, 3 · width]: per head its query, key and value side by side. */
  readonly queryKeyValue: T;
  /**
   * Projected positions [2 · longest - 1, width] of a longest recording, or of a longer one. The rows of distances that a
   * shorter one has are those in the middle.
   */
  readonly positions: T;
  /** Content and position biases, width numbers each, seen as [heads, width / heads]. */
  readonly biasU: T;
  readonly biasV: T;
  readonly heads: number;
  /** Factor on the scores. */
  readonly scale: number;
  /** Frames of each recording. */
  readonly lengths: readonly number[];
  /** [Σ lengths]: 1 for a frame that none attends to. */
  readonly mask?: NdArray<Uint8Array> | undefined;
}

type Inputs = RecordingsAttentionInputs<Tensor>;

const OPERATION = 'relativeAttention';

interface Recording {
  readonly frames: number;
  /** Its first row of queries, and of positions. */
  readonly row: number;
  readonly positionRow: number;
  /** Where its map [heads, frames, frames] begins among all maps. */
  readonly map: number;
}

/** Where each recording's operands begin; all shapes are checked. */
function recordingsOf({ queryKeyValue, positions, heads, lengths, mask }: Inputs) {
  requireRank(OPERATION, 'queryKeyValue', queryKeyValue, 2, '[Σ lengths, 3 width]');
  requireRank(OPERATION, 'positions', positions, 2, '[2 longest - 1, width]');
  const [steps, packed] = queryKeyValue.shape as [number, number];
  if (packed % (3 * heads) !== 0) {
    throw new ShapeError(`${OPERATION}: ${packed} features are no query, key and value of ${heads} heads`);
  }
  const width = packed / 3;
  const most = Math.ceil(positions.shape[0]! / 2);
  requireShape(OPERATION, 'positions', positions, [2 * most - 1, width]);
  let [row, map] = [0, 0];
  const recordings = lengths.map((frames): Recording => {
    const recording = { frames, row, positionRow: most - frames, map };
    if (frames < 1 || frames > most) {
      throw new ShapeError(`${OPERATION}: a recording of ${frames} frames, with positions for 1 to ${most}`);
    }
    row += frames;
    map += heads * frames * frames;
    return recording;
  });
  if (row !== steps) {
    throw new ShapeError(
      `${OPERATION}: queryKeyValue ${describeShape(queryKeyValue.shape)} is no ${row} frames, the sum of the lengths`,
    );
  }
  if (mask && (mask.shape.length !== 1 || mask.shape[0] !== steps)) {
    throw new ShapeError(
      `${OPERATION}: mask has shape ${describeShape(mask.shape)}, expected [${steps}] (1 = left out)`,
    );
  }
  return { recordings, width, packed, mapSize: map };
}

/**
 * Attention within each recording: [Σ lengths, width]. With `keepMaps`, also its weights for `recordingsAttentionGradients`,
 * [heads, frames, frames] of one recording after another.
 */
export function recordingsAttention(
  inputs: Inputs,
  keepMaps: boolean,
): { readonly output: Tensor; readonly maps: Tensor | null } {
  const { heads, scale } = inputs;
  const { recordings, width, packed, mapSize } = recordingsOf(inputs);
  const [x, table] = [contiguous(inputs.queryKeyValue), contiguous(inputs.positions)];
  const mask = inputs.mask && contiguous(inputs.mask);
  const u = vectorOf(OPERATION, 'biasU', inputs.biasU, width);
  const v = vectorOf(OPERATION, 'biasV', inputs.biasV, width);
  const headSize = width / heads;
  const output = empty([x.shape[0]!, width]);
  const maps = keepMaps ? empty([mapSize]) : null;
  const kernel = kernelOf(relativeAttentionVariants);
  for (const { frames, row, positionRow, map } of recordings) {
    const from = x.offset + row * packed;
    kernel(
      { frames, heads, headSize, scale },
      x.data,
      from,
      packed,
      x.data,
      from + headSize,
      packed,
      x.data,
      from + 2 * headSize,
      packed,
      3 * headSize,
      table.data,
      table.offset + positionRow * width,
      width,
      u.data,
      u.offset,
      v.data,
      v.offset,
      null,
      0,
      0,
      mask?.data ?? null,
      mask ? mask.offset + row : 0,
      maps?.data ?? null,
      (maps?.offset ?? 0) + map,
      frames * frames,
      frames,
      output.data,
      output.offset + row * width,
      width,
    );
  }
  return { output, maps };
}

/** Gradients of all four inputs, of their shapes, from dy [Σ lengths, width] and the maps of the forward pass. */
export function recordingsAttentionGradients(
  inputs: Inputs,
  maps: Tensor,
  dy: Tensor,
): Readonly<Record<'queryKeyValue' | 'positions' | 'biasU' | 'biasV', Tensor>> {
  const { heads, scale } = inputs;
  const { recordings, width, packed, mapSize } = recordingsOf(inputs);
  const [x, table, upstream] = [inputs.queryKeyValue, inputs.positions, dy].map(contiguous) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  requireShape(OPERATION, 'dy', upstream, [x.shape[0]!, width]);
  requireShape(OPERATION, 'maps', maps, [mapSize]);
  const u = vectorOf(OPERATION, 'biasU', inputs.biasU, width);
  const v = vectorOf(OPERATION, 'biasV', inputs.biasV, width);
  const headSize = width / heads;
  const dx = empty(x.shape);
  // These are sums over the recordings.
  const [dTable, du, dv] = [table, inputs.biasU, inputs.biasV].map(({ shape }) => {
    const sum = empty(shape);
    sum.data.fill(0, sum.offset, sum.offset + sum.size);
    return sum;
  }) as [Tensor, Tensor, Tensor];
  const kernel = kernelOf(relativeAttentionBackwardVariants);
  for (const { frames, row, positionRow, map } of recordings) {
    kernel(
      { frames, heads, headSize, scale },
      x.data,
      x.offset + row * packed,
      packed,
      table.data,
      table.offset + positionRow * width,
      width,
      u.data,
      u.offset,
      v.data,
      v.offset,
      maps.data,
      maps.offset + map,
      frames * frames,
      frames,
      upstream.data,
      upstream.offset + row * width,
      width,
      dx.data,
      dx.offset + row * packed,
      packed,
      dTable.data,
      dTable.offset + positionRow * width,
      width,
      du.data,
      du.offset,
      dv.data,
      dv.offset,
    );
  }
  return { queryKeyValue: dx, positions: dTable, biasU: du, biasV: dv };
}
