/** What a comparison is. */
import type { Entry } from '../candidates.js';
import type { Peers } from '../load.js';

export type Group =
  | 'matmul'
  | 'matmul, one row'
  | 'depthwise conv1d'
  | 'conv2d'
  | 'softmax'
  | 'layer norm'
  | 'RVQ'
  | 'log-mel'
  | 'conformer layer'
  | 'CNN14'
  | 'device half';

export interface Case {
  readonly group: Group;
  readonly name: string;
  /** Arithmetic operations, as the plain formula counts them; null where a rate says nothing. */
  readonly operations: number | null;
  /** Whether results are indices, of which nearly all must be equal, rather than numbers that must be close. */
  readonly indices?: boolean;
  /** This project first, then the peers. */
  entries(peers: Peers): readonly Entry[];
}

/** Data [shape] with its axes in another order. */
export function permuted(
  data: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
  const [lengths, steps] = [axes.map((axis) => shape[axis]!), axes.map((axis) => strides[axis]!)];
  const out = new Float32Array(data.length);
  let to = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === axes.length) {
      out[to++] = data[from]!;
      return;
    }
    for (let i = 0; i < lengths[axis]!; i++) walk(axis + 1, from + i * steps[axis]!);
  };
  walk(0, 0);
  return out;
}

/** A matrix [rows, columns] as [columns, rows]. */
export const transposed = (data: ArrayLike<number>, rows: number, columns: number) =>
  permuted(data, [rows, columns], [1, 0]);
