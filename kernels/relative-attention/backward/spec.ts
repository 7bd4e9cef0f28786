import type { KernelSpec, OperandSpecs } from '../../spec.js';
import type { RelativeAttentionBackward } from './reference.js';
import { relativeAttentionBackwardVariants } from './variants.js';

export interface RelativeAttentionBackwardCase {
  readonly frames: number;
  readonly heads: number;
  readonly headSize: number;
}

const operands = ({ frames, heads, headSize }: RelativeAttentionBackwardCase) => {
  const width = heads * headSize;
  const table = { type: 'float32', rows: 2 * frames - 1, columns: width } as const;
  const bias = { type: 'float32', rows: heads, columns: headSize, strided: false } as const;
  return {
    qkv: { role: 'input', type: 'float32', rows: frames, columns: 3 * width },
    positions: { role: 'input', ...table },
    biasU: { role: 'input', ...bias },
    biasV: { role: 'input', ...bias },
    // Any numbers will do for the formula; these are as large as those of a softmax. Some keys are masked.
    weights: {
      role: 'input',
      type: 'float32',
      rows: heads * frames,
      columns: frames,
      fill: (random, index) => (index % frames === 3 ? 0 : (2 * random()) / frames),
    },
    dy: { role: 'input', type: 'float32', rows: frames, columns: width },
    before: { role: 'input', type: 'float32', rows: 2 * frames + 1, columns: width },
    dQkv: { role: 'output', type: 'float32', rows: frames, columns: 3 * width },
    dPositions: { role: 'output', ...table },
    dBiasU: { role: 'output', ...bias },
    dBiasV: { role: 'output', ...bias },
  } as const satisfies OperandSpecs;
};

const attention = (name: string, frames: number, heads: number, headSize: number) => ({
  name,
  sizes: { frames, heads, headSize },
});

export const relativeAttentionBackwardSpec: KernelSpec<
  RelativeAttentionBackwardCase,
  ReturnType<typeof operands>,
  RelativeAttentionBackward
> = {
  name: 'relative-attention-backward',
  formula:
    'G = scale w (dy·v − Σ_j w dy·v); dq[i] = Σ_j G (k[j] + p[T−1−i+j]), dk[j] = Σ_i G (q[i]+u), dv[j] = Σ_i w dy[i], dp[T−1−i+j] += Σ G (q[i]+v)',
  shapes:
    'q, k, v, dq, dk, dv [T, heads, n] in one [T, 3 heads n]; p, dp [2T−1, heads n]; u, v, du, dv [heads, n]; w [heads, T, T]; dy [T, heads n]',
  source: 'the chain rule, for relative-attention',
  tolerance: 5e-6,
  // Gaps of zeros beside G are multiplied too, so a NaN may spread to gradients of positions that do not use it.
  nonFinite: false,
  sizes: [
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 23].map((frames) => ({
      frames,
      heads: 2,
      headSize: 5,
    })),
    ...[1, 2, 3, 4, 7, 8, 9, 16, 18].map((headSize) => ({ frames: 6, heads: 3, headSize })),
    { frames: 50, heads: 4, headSize: 24 },
    { frames: 67, heads: 1, headSize: 36 },
  ],
  example: { frames: 4, heads: 1, headSize: 3 },
  workloads: [
    attention('shipped model, 1 s', 25, 4, 24),
    attention('conformer small, 2 s', 50, 4, 36),
    attention('shipped model, 10 s', 250, 4, 24),
    attention('shipped model, 2 s', 50, 4, 24),
  ],
  cost: ({ frames, heads, headSize }) => ({
    operations: 2 * heads * frames * frames * 6 * headSize,
    bytes: 4 * heads * (headSize * (11 * frames - 2) + frames * frames),
  }),
  operands,
  bind(kernel, { frames, heads, headSize }, o) {
    const initialise = (to: typeof o.dBiasU, fromRow: number, rows: number, columns: number) => {
      for (let r = 0; r < rows; r++) {
        const from = o.before.offset + (fromRow + r) * o.before.rowStride;
        to.data.set(o.before.data.subarray(from, from + columns), to.offset + r * to.rowStride);
      }
    };
    const width = heads * headSize;
    return () => {
      initialise(o.dPositions, 0, 2 * frames - 1, width);
      initialise(o.dBiasU, 2 * frames - 1, 1, width);
      initialise(o.dBiasV, 2 * frames, 1, width);
      kernel(
        { frames, heads, headSize, scale: 1 / Math.sqrt(width) },
        o.qkv.data,
        o.qkv.offset,
        o.qkv.rowStride,
        o.positions.data,
        o.positions.offset,
        o.positions.rowStride,
        o.biasU.data,
        o.biasU.offset,
        o.biasV.data,
        o.biasV.offset,
        o.weights.data,
        o.weights.offset,
        frames * o.weights.rowStride,
        o.weights.rowStride,
        o.dy.data,
        o.dy.offset,
        o.dy.rowStride,
        o.dQkv.data,
        o.dQkv.offset,
        o.dQkv.rowStride,
        o.dPositions.data,
        o.dPositions.offset,
        o.dPositions.rowStride,
        o.dBiasU.data,
        o.dBiasU.offset,
        o.dBiasV.data,
        o.dBiasV.offset,
      );
    };
  },
  exact({ frames, heads, headSize }, { qkv, positions, biasU, biasV, weights, dy, before }) {
    const width = heads * headSize;
    const dQkv = new Float64Array(frames * 3 * width);
    const rowsBefore = (from: number, rows: number) =>
      Float64Array.from({ length: rows * width }, (_, at) => {
        const row = from + Math.floor(at / width);
        return before.data[before.offset + row * before.rowStride + (at % width)];
      });
    const dPositions = rowsBefore(0, 2 * frames - 1);
    const [dBiasU, dBiasV] = [rowsBefore(2 * frames - 1, 1), rowsBefore(2 * frames, 1)];
    const part = (which: number, h: number, t: number, d: number) =>
      qkv.data[qkv.offset + t * qkv.rowStride + (3 * h + which) * headSize + d];
    const add = (which: number, h: number, t: number, d: number, value: number) => {
      dQkv[t * 3 * width + (3 * h + which) * headSize + d] += value;
    };
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < frames; i++) {
        const w = Array.from(
          { length: frames },
          (_, j) => weights.data[weights.offset + (h * frames + i) * weights.rowStride + j],
        );
        const upstream = (d: number) => dy.data[dy.offset + i * dy.rowStride + h * headSize + d];
        const dWeight = w.map((_, j) => {
          let sum = 0;
          for (let d = 0; d < headSize; d++) sum += upstream(d) * part(2, h, j, d);
          return sum;
        });
        const mean = w.reduce((sum, weight, j) => sum + weight * dWeight[j], 0);
        for (let j = 0; j < frames; j++) {
          const g = (w[j] * (dWeight[j] - mean)) / Math.sqrt(width);
          const distance = frames - 1 - i + j;
          for (let d = 0; d < headSize; d++) {
            const at = h * headSize + d;
            const p = positions.data[positions.offset + distance * positions.rowStride + at];
            add(0, h, i, d, g * (part(1, h, j, d) + p));
            add(1, h, j, d, g * (part(0, h, i, d) + biasU.data[biasU.offset + at]));
            add(2, h, j, d, w[j] * upstream(d));
            dPositions[distance * width + at] += g * (part(0, h, i, d) + biasV.data[biasV.offset + at]);
            dBiasU[at] += g * part(1, h, j, d);
            dBiasV[at] += g * p;
          }
        }
      }
    }
    return { dQkv, dPositions, dBiasU, dBiasV };
  },
  variants: relativeAttentionBackwardVariants,
};
