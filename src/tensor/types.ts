/** What a tensor looks like. */

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A strided view of a typed array, as the package `ndarray` makes it; see its documentation. */
export interface NdArray<D extends TypedArray = Float32Array> {
  readonly data: D;
  readonly shape: number[];
  readonly stride: number[];
  readonly offset: number;
  readonly size: number;
  readonly dimension: number;
  readonly dtype: string;
  get(...indices: number[]): D extends BigInt64Array | BigUint64Array ? bigint : number;
  set(...indicesAndValue: number[]): void;
  index(...indices: number[]): number;
  lo(...indices: number[]): NdArray<D>;
  hi(...indices: number[]): NdArray<D>;
  step(...steps: number[]): NdArray<D>;
  transpose(...axes: number[]): NdArray<D>;
  pick(...indices: (number | null)[]): NdArray<D>;
}
