/**
 * What a kernel spec is: everything about one hot operation that a test, a benchmark, a catalogue or a
 * reader needs, and the list of its variants. Nothing else lists kernels; adding a variant is one row in
 * `variants.ts` of its folder, and it is then tested and timed without another line. That list is a file of
 * its own, because operations need the variants but not sizes, formulas and workloads.
 *
 * A kernel function takes sizes, typed arrays with offsets and strides, and writes into memory the caller
 * owns. A spec therefore describes its arguments as operands: matrices of `rows` rows of `columns`
 * contiguous elements, `rowStride` elements apart. A harness allocates them (in plain memory, between guard
 * words, in WebAssembly memory), fills the inputs, and calls what `bind` gives; it need not know the argument order.
 */

import type { DefineKernel } from './wasm/arithmetic.js';

export type KernelArray = Float32Array | Float64Array | Int32Array | Uint8Array;

interface ArrayTypes {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
}
export type ElementType = keyof ArrayTypes;

/** A seeded source of uniform numbers in [0, 1). */
export type Random = () => number;

/** What one array argument holds. */
export interface OperandSpec<T extends ElementType = ElementType> {
  readonly role: 'input' | 'output' | 'scratch';
  readonly type: T;
  readonly rows: number;
  readonly columns: number;
  /** False where the kernel takes no row stride: the rows must follow each other without a gap. */
  readonly strided?: boolean;
  /** One element of an input, in order; the default is uniform in [-1, 1). */
  readonly fill?: (random: Random, index: number) => number;
}

/** One array argument: element (r, c) is `data[offset + r * rowStride + c]`. */
export interface Operand<A extends KernelArray = KernelArray> {
  readonly data: A;
  readonly offset: number;
  readonly rowStride: number;
}

export type OperandSpecs = Readonly<Record<string, OperandSpec>>;
export type Operands<O extends OperandSpecs> = {
  readonly [N in keyof O]: Operand<ArrayTypes[O[N]['type']]>;
};

export type VariantName = 'reference' | 'simd' | 'relaxed' | 'gpu';

/** One implementation of an operation. */
export interface KernelVariant<F> {
  /** For messages. */
  readonly operation: string;
  readonly name: VariantName;
  /** One line for the catalogue: the idea of this variant. */
  readonly summary: string;
  /** True, or one line that says why it can't run on this machine. */
  available(): true | string;
  /** The function; the first call compiles what has to be compiled. */
  load(): F;
  /** Of a SIMD variant: what it adds to a WebAssembly module. */
  readonly define?: DefineKernel;
}

export interface KernelSpec<S extends object, O extends OperandSpecs, F> {
  readonly name: string;
  /** The definition, in one line of mathematics. */
  readonly formula: string;
  /** Shapes of the operands in words, as the formula's letters. */
  readonly shapes: string;
  /** Where the formula comes from. */
  readonly source: string;
  /**
   * The largest max|a - b| / max|b| of a floating-point output against `exact` that a variant may show.
   * Integer outputs must be equal.
   */
  readonly tolerance: number;
  /**
   * Whether NaN and infinities in the first input must come out where the formula says. False for
   * transforms, where they may spread differently.
   */
  readonly nonFinite: boolean;
  /** Sizes for tests: one, below, at and above every variant's tile. */
  readonly sizes: readonly S[];
  /** Sizes to look at: all operands fit a screen. The explorer chooses some of `sizes` where this is left out. */
  readonly example?: S;
  /** Sizes for benchmarks, taken from real models. */
  readonly workloads: readonly { readonly name: string; readonly sizes: S }[];
  /** Arithmetic operations (a multiply-add is two) and the bytes that have to move at least. */
  cost(sizes: S): { readonly operations: number; readonly bytes: number };
  operands(sizes: S): O;
  /** Outputs that may be the same memory as an input. */
  readonly inPlace?: readonly (readonly [output: string, input: string])[];
  /**
   * The call that computes the outputs, ready to be made any number of times: what is done once for many calls
   * (packing weights) is done before.
   */
  bind(kernel: F, sizes: S, operands: Operands<O>): () => void | Promise<void>;
  /**
   * The outputs by the formula in float64, row after row without gaps, written apart from every variant:
   * plain, slow, obviously right.
   */
  exact(sizes: S, operands: Operands<O>): Readonly<Record<string, ArrayLike<number>>>;
  readonly variants: readonly KernelVariant<F>[];
  /**
   * The variant for GPU.js, which runs inside `record` of a Gpu (gpu/index.ts). NaN and infinities are not asked of it:
   * neither WebGL nor WebGPU has to keep them, so checks with them do not apply.
   */
  readonly gpu?: KernelVariant<F>;
  /** In place of `tolerance` for the GPU variant, with the reason why it can't keep that one. */
  readonly gpuTolerance?: { readonly tolerance: number; readonly reason: string };
}

/** A spec whose type parameters are known only to itself; `visit` hands it to a generic function. */
export interface AnyKernelSpec {
  readonly name: string;
  visit<R>(visitor: <S extends object, O extends OperandSpecs, F>(spec: KernelSpec<S, O, F>) => R): R;
}

export function anyKernel<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
): AnyKernelSpec {
  return { name: spec.name, visit: (visitor) => visitor(spec) };
}

/** The row every spec begins with: a plain loop that runs everywhere. */
export function referenceVariant<F>(operation: string, kernel: F, summary: string): KernelVariant<F> {
  return { operation, name: 'reference', summary, available: () => true, load: () => kernel };
}
