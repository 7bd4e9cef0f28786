import { relativeAttentionVariants } from '../../kernels/relative-attention/variants.js';
import { rotaryPositionsVariants } from '../../kernels/rotary-positions/variants.js';
import { contiguous, empty, ShapeError, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { type PaddingMask, requireMask } from './padding-mask.js';
import { describeShape, requireRank, requireShape } from './shapes.js';

export interface AttentionInputs {
  /** [batch, frames, heads, size], a view of any strides, as key and value are. */
  readonly query: Tensor;
  /** [batch, keys, heads, size]. */
  readonly key: Tensor;
  readonly value: Tensor;
  readonly scale: number;
  /** Which keys are padding: [batch, keys]. */
  readonly mask?: PaddingMask | undefined;
  /** Added to the scores of every item and head: [frames, keys]. */
  readonly added?: Tensor | undefined;
  /** Whether the attention map is kept: [batch, heads, frames, keys]. */
  readonly keepMap?: boolean;
}

/** Whether x [batch, frames, heads, size] lies as kernels read it: a frame's heads one after another, without overlap. */
function hasRows({ shape, stride }: Tensor): boolean {
  const [, frames, heads, size] = shape as [number, number, number, number];
  const [, row, head, one] = stride as [number, number, number, number];
  return (
    (one === 1 || size === 1) &&
    (head >= size || heads === 1) &&
    (row >= (heads - 1) * head + size || frames === 1)
  );
}

/**
 * Plain multi-head attention, of frames to another sequence or to themselves: softmax(scale · q · k + added) v, per batch
 * item and head. Gives [batch, frames, heads · size].
 */
export function attention(inputs: AttentionInputs): { readonly output: Tensor; readonly map: Tensor | null } {
  const { scale, mask, added, keepMap = false } = inputs;
  const operation = 'attention';
  requireRank(operation, 'query', inputs.query, 4, '[batch, frames, heads, size]');
  requireRank(operation, 'key', inputs.key, 4, '[batch, keys, heads, size]');
  const [batch, frames, heads, headSize] = inputs.query.shape as [number, number, number, number];
  const keys = inputs.key.shape[1]!;
  requireShape(operation, 'key', inputs.key, [batch, keys, heads, headSize]);
  requireShape(operation, 'value', inputs.value, [batch, keys, heads, headSize]);
  if (mask) requireMask(operation, mask, batch, keys);
  if (added) requireShape(operation, 'added', added, [frames, keys]);
  if (keys === 0) throw new ShapeError(`${operation}: there is no key to attend to`);

  const given = [inputs.query, inputs.key, inputs.value];
  // The kernel has one stride from head to head for all three.
  const asTheyAre = given.every((x) => hasRows(x) && x.stride[2] === inputs.query.stride[2]);
  const [query, key, value] = (asTheyAre ? given : given.map(contiguous)) as [Tensor, Tensor, Tensor];
  const more = added && contiguous(added);
  const width = heads * headSize;
  const output = empty([batch, frames, width]);
  const map = keepMap ? empty([batch, heads, frames, keys]) : null;
  const kernel = kernelOf(relativeAttentionVariants);
  for (let b = 0; b < batch; b++) {
    kernel(
      { frames, keys, heads, headSize, scale },
      query.data,
      query.offset + b * query.stride[0]!,
      query.stride[1]!,
      key.data,
      key.offset + b * key.stride[0]!,
      key.stride[1]!,
      value.data,
      value.offset + b * value.stride[0]!,
      value.stride[1]!,
      query.stride[2]!,
      null,
      0,
      0,
      null,
      0,
      null,
      0,
      more?.data ?? null,
      more?.offset ?? 0,
      keys,
      mask?.data ?? null,
      mask ? mask.offset + b * mask.stride[0]! : 0,
      map?.data ?? null,
      (map?.offset ?? 0) + b * heads * frames * keys,
      frames * keys,
      keys,
      output.data,
      output.offset + b * frames * width,
      width,
    );
  }
  return { output, map };
}

/**
 * Turns the pairs of features of x [batch, frames, heads, size], a view of queries or keys, by the angles of their frames,
 * in place. The table [frames, 2 · size] is the kernel's: cosines and signed sines.
 */
export function rotatePositions(x: Tensor, table: Tensor): void {
  const operation = 'rotatePositions';
  requireRank(operation, 'x', x, 4, '[batch, frames, heads, size]');
  const [batch, frames, heads, headSize] = x.shape as [number, number, number, number];
  requireShape(operation, 'table', table, [frames, 2 * headSize]);
  if (headSize % 2 !== 0 || !hasRows(x)) {
    throw new ShapeError(
      `${operation}: x ${describeShape(x.shape)} needs heads of an even size, whose features lie side by side, frame after frame`,
    );
  }
  const angles = contiguous(table);
  const kernel = kernelOf(rotaryPositionsVariants);
  for (let b = 0; b < batch; b++) {
    const offset = x.offset + b * x.stride[0]!;
    const [row, head] = [x.stride[1]!, x.stride[2]!];
    kernel(
      { frames, heads, headSize },
      x.data,
      offset,
      row,
      head,
      angles.data,
      angles.offset,
      2 * headSize,
      x.data,
      offset,
      row,
      head,
    );
  }
}
