/**
 * The same view as the package `ndarray` makes, written out: for runtimes that refuse functions made from text
 * (strict content security policies, edge workers), where `ndarray` can't build its classes. Slower to index one
 * by one, which no kernel does.
 */
import type { NdArray, TypedArray } from './types.js';

/** Names of dtypes as `ndarray` gives them. */
const dtypeOf = (data: TypedArray): string =>
  data.constructor.name
    .replace(/Array$/, '')
    .replace('BigInt', 'bigint')
    .replace('BigUint', 'biguint')
    .toLowerCase();

export class PlainNdArray<D extends TypedArray> implements NdArray<D> {
  readonly dtype: string;

  constructor(
    readonly data: D,
    readonly shape: number[],
    readonly stride: number[],
    readonly offset: number,
  ) {
    this.dtype = dtypeOf(data);
  }

  get dimension(): number {
    return this.shape.length;
  }

  get size(): number {
    return this.shape.reduce((product, n) => product * n, 1);
  }

  index(...indices: number[]): number {
    return this.stride.reduce((at, step, axis) => at + step * (indices[axis] ?? 0), this.offset);
  }

  get(...indices: number[]): D extends BigInt64Array | BigUint64Array ? bigint : number {
    return this.data[this.index(...indices)] as never;
  }

  set(...indicesAndValue: number[]): void {
    const at = this.index(...indicesAndValue.slice(0, this.dimension));
    this.data[at] = indicesAndValue[this.dimension] as never;
  }

  /** Drops the first elements of each axis; missing counts are 0. */
  lo(...counts: number[]): NdArray<D> {
    const shape = this.shape.map((n, axis) => n - (counts[axis] ?? 0));
    return new PlainNdArray(this.data, shape, [...this.stride], this.index(...counts));
  }

  /** Keeps the first elements of each axis; a missing count keeps all. */
  hi(...counts: number[]): NdArray<D> {
    const shape = this.shape.map((n, axis) => counts[axis] ?? n);
    return new PlainNdArray(this.data, shape, [...this.stride], this.offset);
  }

  /** Every so many elements of each axis; a negative step turns the axis round. */
  step(...steps: number[]): NdArray<D> {
    let offset = this.offset;
    const shape = [...this.shape];
    const stride = [...this.stride];
    steps.forEach((step, axis) => {
      const [n, s] = [shape[axis] ?? 0, stride[axis] ?? 0];
      if (step < 0) offset += s * (n - 1);
      shape[axis] = Math.ceil(n / Math.abs(step));
      stride[axis] = s * step;
    });
    return new PlainNdArray(this.data, shape, stride, offset);
  }

  transpose(...axes: number[]): NdArray<D> {
    const order = this.shape.map((_, axis) => axes[axis] ?? axis);
    return new PlainNdArray(
      this.data,
      order.map((axis) => this.shape[axis] ?? 0),
      order.map((axis) => this.stride[axis] ?? 0),
      this.offset,
    );
  }

  /** One element of each axis that has a number, all of the others. */
  pick(...indices: (number | null)[]): NdArray<D> {
    const picked = (axis: number): boolean => (indices[axis] ?? -1) >= 0;
    return new PlainNdArray(
      this.data,
      this.shape.filter((_, axis) => !picked(axis)),
      this.stride.filter((_, axis) => !picked(axis)),
      this.index(...this.shape.map((_, axis) => (picked(axis) ? (indices[axis] ?? 0) : 0))),
    );
  }
}
