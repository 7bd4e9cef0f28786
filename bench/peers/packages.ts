/**
 * What is used of the peers, as types: the packages live in a folder of their own and this project is compiled
 * without them.
 */

export interface OrtTensor {
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

export interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

/** onnxruntime-web and onnxruntime-node. */
export interface Ort {
  readonly env: { readonly wasm: { numThreads?: number; wasmBinary?: Uint8Array } };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
}

export interface TfTensor {
  dataSync(): Float32Array | Int32Array;
  dispose(): void;
}

type Pair = readonly [number, number];

/** @tensorflow/tfjs-core with the backend that is set. */
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  tidy<T extends TfTensor | readonly TfTensor[]>(work: () => T): T;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  square(x: TfTensor): TfTensor;
  rsqrt(x: TfTensor): TfTensor;
  sigmoid(x: TfTensor): TfTensor;
  mean(x: TfTensor, axis: number, keepDims: boolean): TfTensor;
  softmax(x: TfTensor): TfTensor;
  argMin(x: TfTensor, axis: number): TfTensor;
  gather(x: TfTensor, indices: TfTensor): TfTensor;
  stack(x: readonly TfTensor[], axis: number): TfTensor;
  split(x: TfTensor, parts: number, axis: number): TfTensor[];
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, axes: readonly number[]): TfTensor;
  depthwiseConv2d(x: TfTensor, filter: TfTensor, strides: number, padding: 'same'): TfTensor;
  avgPool(x: TfTensor, size: number, strides: number, padding: 'valid'): TfTensor;
  readonly fused: {
    matMul(options: { a: TfTensor; b: TfTensor; bias?: TfTensor; activation?: string }): TfTensor;
    conv2d(options: {
      x: TfTensor;
      filter: TfTensor;
      strides: number | Pair;
      pad: 'same';
      bias?: TfTensor;
      activation?: 'relu';
    }): TfTensor;
    depthwiseConv2d(options: {
      x: TfTensor;
      filter: TfTensor;
      strides: number | Pair;
      pad: 'same';
      bias?: TfTensor;
    }): TfTensor;
  };
}

/** An array of jax-js. An operation consumes its operands; `ref` is one more reference. */
export interface JaxArray {
  readonly ref: JaxArray;
  add(x: JaxArray | number): JaxArray;
  sub(x: JaxArray | number): JaxArray;
  mul(x: JaxArray | number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  transpose(axes: readonly number[]): JaxArray;
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

type JaxFunction = (...x: JaxArray[]) => JaxArray;

/** @jax-js/jax */
export interface Jax {
  init(): Promise<unknown>;
  defaultDevice(name: 'wasm'): unknown;
  blockUntilReady(x: JaxArray): Promise<unknown>;
  jit(f: JaxFunction): JaxFunction & { dispose(): void };
  readonly numpy: {
    array(data: Float32Array, options?: { shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    mean(x: JaxArray, axis: number, options: { keepdims: boolean }): JaxArray;
    square(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    argmin(x: JaxArray, axis: number): JaxArray;
    take(x: JaxArray, indices: JaxArray, axis: number): JaxArray;
    stack(x: readonly JaxArray[], axis: number): JaxArray;
    split(x: JaxArray, parts: number, axis: number): JaxArray[];
    reciprocal(x: JaxArray): JaxArray;
  };
  readonly nn: {
    softmax(x: JaxArray, axis: number): JaxArray;
    silu(x: JaxArray): JaxArray;
    glu(x: JaxArray, axis: number): JaxArray;
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray;
  };
  readonly lax: {
    convGeneralDilated(
      x: JaxArray,
      filter: JaxArray,
      strides: readonly number[],
      padding: readonly Pair[],
      options?: { featureGroupCount: number },
    ): JaxArray;
  };
}

/** @echogarden/pffft-wasm, as Emscripten exports it. */
export interface Pffft {
  readonly HEAPF32: Float32Array;
  _pffft_aligned_malloc(bytes: number): number;
  _pffft_new_setup(size: number, kind: 0 | 1): number;
  _pffft_transform_ordered(
    setup: number,
    input: number,
    output: number,
    work: number,
    direction: 0 | 1,
  ): void;
}
