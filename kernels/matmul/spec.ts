import type { KernelSpec } from '../spec.js';
import { matmulGpu } from './gpu.js';
import type { MatmulActivation, MatmulKernel } from './reference.js';
import { matmulVariants } from './variants.js';

export interface MatmulSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether A is stored [k, m] rather than [m, k]. */
  readonly transposeA?: boolean;
  /** Whether B is stored [n, k] (a weight matrix) rather than [k, n]. */
  readonly transposeB?: boolean;
  readonly bias?: boolean;
  readonly accumulate?: boolean;
  readonly activation?: MatmulActivation;
}

const operands = ({ m, n, k, transposeA, transposeB }: MatmulSizes) =>
  ({
    a: { role: 'input', type: 'float32', rows: transposeA ? k : m, columns: transposeA ? m : k },
    b: { role: 'input', type: 'float32', rows: transposeB ? n : k, columns: transposeB ? k : n },
    bias: { role: 'input', type: 'float32', rows: 1, columns: n },
    initial: { role: 'input', type: 'float32', rows: m, columns: n },
    c: { role: 'output', type: 'float32', rows: m, columns: n },
  }) as const;

const transpositions = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

const linear = (name: string, m: number, k: number, n: number) => ({
  name,
  sizes: { m, n, k, transposeB: true, bias: true },
});

export const matmulSpec: KernelSpec<MatmulSizes, ReturnType<typeof operands>, MatmulKernel> = {
  name: 'matmul',
  formula: 'C[i,j] = f(Σ_p A[i,p] B[p,j] + bias[j]  (+ C[i,j] where it accumulates))',
  shapes: 'A [m, k], B [k, n], each also stored transposed; bias [n]; C [m, n]',
  source: 'linear algebra; PyTorch Linear is A Bᵀ + bias with B stored [n, k]',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    ...[1, 2, 3, 4, 7, 16].flatMap((m) =>
      [1, 3, 5, 8].map((n) => ({ m, n, k: 6, transposeB: true, bias: true })),
    ),
    ...transpositions.flatMap((t) => [
      { m: 7, n: 11, k: 13, ...t },
      { m: 6, n: 9, k: 4, ...t, bias: true, accumulate: true },
    ]),
    { m: 4, n: 5, k: 0, bias: true },
    ...(['relu', 'swish'] as const).flatMap((activation) => [
      { m: 9, n: 13, k: 10, activation, bias: true },
      { m: 3, n: 8, k: 5, activation, accumulate: true },
    ]),
    ...[5, 6, 8, 9, 11, 12, 13, 14, 15, 17, 19, 23].map((m) => ({ m, n: 16, k: 9, transposeB: true })),
    ...[1, 4, 5].flatMap((m) => [15, 16, 17, 24, 25].map((n) => ({ m, n, k: 7, bias: true }))),
    { m: 25, n: 96, k: 256, transposeB: true, bias: true },
    // Several blocks of rows
    { m: 70, n: 9, k: 600, bias: true },
    // Blocks of 4 x 4 that are turned
    ...[1, 2, 3, 4, 8].flatMap((m) => [1, 2, 3, 5, 8].map((k) => ({ m, n: 9, k, transposeA: true }))),
  ],
  example: { m: 3, n: 4, k: 5, bias: true },
  workloads: [
    // A frame, the smallest block, 1 s and 10 s through conformers of all sizes
    ...[96, 144, 256, 512].flatMap((width) =>
      [1, 8, 25, 250].map((frames) =>
        linear(`conformer d = ${width}, feed-forward in, T = ${frames}`, frames, width, 4 * width),
      ),
    ),
    linear('shipped model, feed-forward in, 1 s', 25, 96, 256),
    linear('shipped model, feed-forward out, 10 s', 250, 256, 96),
    linear('conformer small, feed-forward out, 1 s', 25, 1024, 144),
    linear('conformer small, feed-forward out, 10 s', 250, 1024, 144),
    linear('conformer large, feed-forward out, one frame', 1, 2048, 512),
    // Gradients of weights, dYᵀ X
    ...[96, 256].map((m) => ({
      name: `shipped model in training, 32 s: weights [${m}, 96]`,
      sizes: { m, n: 96, k: 800, transposeA: true },
    })),
    linear('conformer large, feed-forward out, 1 s', 25, 2048, 512),
  ],
  cost: ({ m, n, k }) => ({ operations: 2 * m * n * k, bytes: 4 * (m * k + k * n + m * n) }),
  operands,
  bind(kernel, sizes, { a, b, bias, initial, c }) {
    const { m, n, k, transposeA, transposeB, accumulate = false, activation = 'none' } = sizes;
    const [bRowStride, bColumnStride] = transposeB ? [1, b.rowStride] : [b.rowStride, 1];
    const packed = kernel.pack(n, k, b.data, b.offset, bRowStride, bColumnStride, 'kept');
    return () => {
      for (let i = 0; accumulate && i < m; i++) {
        const from = initial.offset + i * initial.rowStride;
        c.data.set(initial.data.subarray(from, from + n), c.offset + i * c.rowStride);
      }
      kernel.multiply(
        m,
        a.data,
        a.offset,
        transposeA ? 1 : a.rowStride,
        transposeA ? a.rowStride : 1,
        packed,
        sizes.bias ? bias.data : null,
        bias.offset,
        activation,
        accumulate,
        c.data,
        c.offset,
        c.rowStride,
      );
    };
  },
  exact({ m, n, k, transposeA, transposeB, bias: hasBias, accumulate, activation }, { a, b, bias, initial }) {
    const c = new Float64Array(m * n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = hasBias ? bias.data[bias.offset + j] : 0;
        if (accumulate) sum += initial.data[initial.offset + i * initial.rowStride + j];
        for (let p = 0; p < k; p++) {
          const left = transposeA ? p * a.rowStride + i : i * a.rowStride + p;
          const right = transposeB ? j * b.rowStride + p : p * b.rowStride + j;
          sum += a.data[a.offset + left] * b.data[b.offset + right];
        }
        if (activation === 'relu') sum = Math.max(sum, 0);
        if (activation === 'swish') sum /= 1 + Math.exp(-sum);
        c[i * n + j] = sum;
      }
    }
    return { c };
  },
  variants: matmulVariants,
  gpu: matmulGpu,
};
