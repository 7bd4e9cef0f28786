/**
 * C = f(A B + bias), or C = f(C + A B + bias): C is [m, n], A is [m, k], B is [k, n], bias is [n], and f works
 * element by element.
 *
 * B is packed once into the layout that a variant reads fastest, and then multiplied any number of times.
 * Both strides of A and of B are arguments, so one kernel serves A B, A Bᵀ, Aᵀ B and Aᵀ Bᵀ: a weight matrix
 * stored [n, k] (PyTorch's Linear) is B with row stride 1 and column stride k. Rows of C are contiguous.
 *
 * 2 m n k operations; at least 4 (m k + k n + m n) bytes.
 */
export interface MatmulKernel {
  /**
   * Prepares B for `multiply`. A packed matrix that is `kept` lives as long as the object does; one for `work`
   * may lie on the kernels' stack, and is gone when the caller's scope ends.
   */
  pack(
    n: number,
    k: number,
    b: Float32Array,
    bOffset: number,
    bRowStride: number,
    bColumnStride: number,
    lifetime: 'kept' | 'work',
  ): PackedMatrix;
  multiply(
    m: number,
    a: Float32Array,
    aOffset: number,
    aRowStride: number,
    aColumnStride: number,
    b: PackedMatrix,
    bias: Float32Array | null,
    biasOffset: number,
    activation: MatmulActivation,
    accumulate: boolean,
    c: Float32Array,
    cOffset: number,
    cRowStride: number,
  ): void;
}

/** A matrix B [k, n] as one variant wants it; no other can read it. */
export interface PackedMatrix {
  readonly n: number;
  readonly k: number;
  readonly data: Float32Array;
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** What is done to each element of C: nothing, max(x, 0), or x / (1 + exp(-x)). */
export type MatmulActivation = 'none' | 'relu' | 'swish';

/**
 * Nothing is copied to pack. Sums are float64, rounded to float32 once. The 3 x 3 tile reads 6 numbers for 9
 * multiply-adds and fills the registers that V8 leaves for doubles.
 */
export const matmulReference: MatmulKernel = {
  pack: (n, k, data, offset, rowStride, columnStride) => ({ n, k, data, offset, rowStride, columnStride }),
  multiply(
    m,
    a,
    aOffset,
    aRowStride,
    aColumnStride,
    packed,
    bias,
    biasOffset,
    activation,
    accumulate,
    c,
    cOffset,
    cRowStride,
  ) {
    const { n, k, data: b, offset: bOffset, rowStride: bRowStride, columnStride: bColumnStride } = packed;
    const tiledRows = m - (m % 3);
    const tiledColumns = n - (n % 3);
    const a1 = aRowStride;
    const a2 = 2 * aRowStride;
    const b1 = bColumnStride;
    const b2 = 2 * bColumnStride;

    for (let i = 0; i < tiledRows; i += 3) {
      for (let j = 0; j < tiledColumns; j += 3) {
        let c00 = 0;
        let c01 = 0;
        let c02 = 0;
        let c10 = 0;
        let c11 = 0;
        let c12 = 0;
        let c20 = 0;
        let c21 = 0;
        let c22 = 0;
        let ai = aOffset + i * aRowStride;
        let bj = bOffset + j * bColumnStride;
        for (let p = 0; p < k; p++) {
          const x0 = a[ai];
          const x1 = a[ai + a1];
          const x2 = a[ai + a2];
          const y0 = b[bj];
          const y1 = b[bj + b1];
          const y2 = b[bj + b2];
          c00 += x0 * y0;
          c01 += x0 * y1;
          c02 += x0 * y2;
          c10 += x1 * y0;
          c11 += x1 * y1;
          c12 += x1 * y2;
          c20 += x2 * y0;
          c21 += x2 * y1;
          c22 += x2 * y2;
          ai += aColumnStride;
          bj += bRowStride;
        }
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        if (bias !== null) {
          s0 = bias[biasOffset + j];
          s1 = bias[biasOffset + j + 1];
          s2 = bias[biasOffset + j + 2];
        }
        const row0 = cOffset + i * cRowStride + j;
        const row1 = row0 + cRowStride;
        const row2 = row1 + cRowStride;
        if (accumulate) {
          c00 += c[row0];
          c01 += c[row0 + 1];
          c02 += c[row0 + 2];
          c10 += c[row1];
          c11 += c[row1 + 1];
          c12 += c[row1 + 2];
          c20 += c[row2];
          c21 += c[row2 + 1];
          c22 += c[row2 + 2];
        }
        c[row0] = c00 + s0;
        c[row0 + 1] = c01 + s1;
        c[row0 + 2] = c02 + s2;
        c[row1] = c10 + s0;
        c[row1 + 1] = c11 + s1;
        c[row1 + 2] = c12 + s2;
        c[row2] = c20 + s0;
        c[row2 + 1] = c21 + s1;
        c[row2 + 2] = c22 + s2;
      }
    }

    // What the tiles leave over: the last columns of every row, then the last rows whole.
    for (let i = 0; i < m; i++) {
      for (let j = i < tiledRows ? tiledColumns : 0; j < n; j++) {
        let sum = bias === null ? 0 : bias[biasOffset + j];
        let ai = aOffset + i * aRowStride;
        let bj = bOffset + j * bColumnStride;
        for (let p = 0; p < k; p++) {
          sum += a[ai] * b[bj];
          ai += aColumnStride;
          bj += bRowStride;
        }
        const at = cOffset + i * cRowStride + j;
        c[at] = accumulate ? c[at] + sum : sum;
      }
    }

    if (activation === 'none') return;
    for (let i = 0; i < m; i++) {
      const row = cOffset + i * cRowStride;
      for (let j = row; j < row + n; j++) {
        c[j] = activation === 'relu' ? Math.max(c[j], 0) : c[j] / (1 + Math.exp(-c[j]));
      }
    }
  },
};
