import type { KernelSpec, OperandSpecs } from '../spec.js';
import { relativeAttentionGpu } from './gpu.js';
import type { RelativeAttention } from './reference.js';
import { relativeAttentionVariants } from './variants.js';

export interface RelativeAttentionCase {
  readonly frames: number;
  readonly heads: number;
  readonly headSize: number;
  /** Whether each key is masked with probability 1/4 (1: every key is). */
  readonly masked?: boolean | 'all';
  /** Whether the attention map is asked for. */
  readonly map?: boolean;
  /** Plain attention, without positions: so many keys of another sequence, and whether something is added to scores. */
  readonly plain?: { readonly keys: number; readonly added?: boolean };
  /** Keys of frames before the first one, with positions; 0 where it is left out. */
  readonly past?: number;
}

const keysOf = ({ frames, plain, past = 0 }: RelativeAttentionCase): number => plain?.keys ?? frames + past;

const operands = (sizes: RelativeAttentionCase) => {
  const { frames, heads, headSize, masked, map, plain } = sizes;
  const width = heads * headSize;
  const keys = keysOf(sizes);
  const relative = plain ? 0 : 1;
  const dense = { strided: false } as const;
  return {
    // q, k and v of head h side by side, as SpeechBrain's in_proj leaves them
    qkv: { role: 'input', type: 'float32', rows: Math.max(frames, keys), columns: 3 * width },
    positions: { role: 'input', type: 'float32', rows: relative * (frames + keys - 1), columns: width },
    biasU: { role: 'input', type: 'float32', rows: relative * heads, columns: headSize, ...dense },
    biasV: { role: 'input', type: 'float32', rows: relative * heads, columns: headSize, ...dense },
    // A quarter of what is added forbids a key, but never the first
    added: {
      role: 'input',
      type: 'float32',
      rows: plain?.added ? frames : 0,
      columns: keys,
      fill: (random, index) => (index % keys > 0 && random() < 0.25 ? -Infinity : 2 * random() - 1),
    },
    mask: {
      role: 'input',
      type: 'uint8',
      rows: 1,
      columns: keys,
      fill: (random) => (masked === 'all' || random() < 0.25 ? 1 : 0),
    },
    weights: { role: 'output', type: 'float32', rows: map ? heads * frames : 0, columns: keys },
    y: { role: 'output', type: 'float32', rows: frames, columns: width },
  } as const satisfies OperandSpecs;
};

const attention = (name: string, frames: number, heads: number, headSize: number) => ({
  name,
  sizes: { frames, heads, headSize },
});

export const relativeAttentionSpec: KernelSpec<
  RelativeAttentionCase,
  ReturnType<typeof operands>,
  RelativeAttention
> = {
  name: 'relative-attention',
  formula: 'y[i] = Σ_j softmax_j(scale ((q[i]+u)·k[j] + (q[i]+v)·p[T−1−i+j])) v[j], per head',
  shapes:
    'q, k, v [T, heads, n] in one [T, 3 heads n]; p [2T−1, heads n]; u, v [heads, n]; mask [T]; y [T, heads n]',
  source: 'Dai et al. 2019 (Transformer-XL), as SpeechBrain RelPosMHAXL computes it',
  tolerance: 5e-6,
  nonFinite: true,
  sizes: [
    // Frames below, at and above tiles of 5 and 6 queries and panels of 8 keys.
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 23].map((frames) => ({ frames, heads: 2, headSize: 5 })),
    ...[1, 2, 3, 4, 7, 8, 9, 16, 18].map((headSize) => ({ frames: 6, heads: 2, headSize, map: true })),
    ...[1, 6, 10].map((frames) => ({ frames, heads: 2, headSize: 5, map: true })),
    { frames: 9, heads: 3, headSize: 4, masked: true },
    { frames: 22, heads: 2, headSize: 6, masked: true, map: true },
    { frames: 5, heads: 1, headSize: 3, masked: 'all' },
    { frames: 7, heads: 2, headSize: 4, masked: 'all', map: true },
    { frames: 25, heads: 4, headSize: 24, map: true },
    { frames: 70, heads: 2, headSize: 36 },
    // Chunks: frames with more keys before them
    ...[1, 2, 3, 4, 5, 8, 11].map((past) => ({ frames: 6, heads: 2, headSize: 5, past })),
    ...[1, 4, 5, 7, 8, 13].map((frames) => ({ frames, heads: 2, headSize: 6, past: 3, map: true })),
    { frames: 8, heads: 4, headSize: 24, past: 24 },
    { frames: 9, heads: 2, headSize: 4, past: 12, masked: true, map: true },
    // Plain: frames and keys around tiles and panels, each alone
    ...[1, 2, 4, 5, 6, 7, 9].map((frames) => ({ frames, heads: 2, headSize: 5, plain: { keys: frames } })),
    ...[1, 3, 4, 7, 8, 9, 17].map((keys) => ({ frames: 6, heads: 3, headSize: 8, plain: { keys } })),
    ...[2, 5, 8, 11].map((keys) => ({ frames: 7, heads: 2, headSize: 6, plain: { keys, added: true } })),
    { frames: 13, heads: 2, headSize: 7, plain: { keys: 10, added: true }, map: true },
    { frames: 9, heads: 2, headSize: 4, plain: { keys: 21 }, masked: true, map: true },
    { frames: 4, heads: 1, headSize: 3, plain: { keys: 6 }, masked: 'all' },
  ],
  example: { frames: 4, heads: 1, headSize: 3, map: true },
  workloads: [
    attention('shipped model, 1 s', 25, 4, 24),
    attention('shipped model, 10 s', 250, 4, 24),
    { name: 'live model, a chunk', sizes: { ...attention('', 8, 4, 24).sizes, past: 24 } },
    attention('conformer small, 1 s', 25, 4, 36),
    attention('conformer small, 10 s', 250, 4, 36),
    attention('conformer large, 1 s', 25, 8, 64),
    {
      name: 'conformer large with rotary positions (plain), 10 s',
      sizes: { ...attention('', 250, 8, 64).sizes, plain: { keys: 250 } },
    },
    attention('conformer large, 10 s', 250, 8, 64),
  ],
  cost: (sizes) => {
    const { frames, heads, headSize, plain } = sizes;
    const keys = keysOf(sizes);
    return {
      operations: 2 * heads * frames * keys * (plain ? 2 : 3) * headSize,
      bytes: 4 * heads * headSize * (2 * (frames + keys) + (plain ? 0 : frames + keys - 1)),
    };
  },
  operands,
  bind(kernel, sizes, o) {
    const { frames, heads, headSize, masked, map, plain, past = 0 } = sizes;
    // q, k and v lie together: the queries are the last rows of the keys.
    const query = plain ? 0 : past * o.qkv.rowStride;
    return () => {
      kernel(
        {
          frames,
          ...((plain || past > 0) && { keys: keysOf(sizes) }),
          heads,
          headSize,
          scale: 1 / Math.sqrt(heads * headSize),
        },
        o.qkv.data,
        o.qkv.offset + query,
        o.qkv.rowStride,
        o.qkv.data,
        o.qkv.offset + headSize,
        o.qkv.rowStride,
        o.qkv.data,
        o.qkv.offset + 2 * headSize,
        o.qkv.rowStride,
        3 * headSize,
        plain ? null : o.positions.data,
        o.positions.offset,
        o.positions.rowStride,
        plain ? null : o.biasU.data,
        o.biasU.offset,
        plain ? null : o.biasV.data,
        o.biasV.offset,
        plain?.added ? o.added.data : null,
        o.added.offset,
        o.added.rowStride,
        masked ? o.mask.data : null,
        o.mask.offset,
        map ? o.weights.data : null,
        o.weights.offset,
        frames * o.weights.rowStride,
        o.weights.rowStride,
        o.y.data,
        o.y.offset,
        o.y.rowStride,
      );
    };
  },
  exact(sizes, { qkv, positions, biasU, biasV, added, mask }) {
    const { frames, heads, headSize, masked, map, plain, past = 0 } = sizes;
    const width = heads * headSize;
    const keys = keysOf(sizes);
    const weights = new Float64Array(heads * frames * keys);
    const y = new Float64Array(frames * width);
    const part = (which: number, h: number, t: number, d: number) =>
      qkv.data[qkv.offset + t * qkv.rowStride + (3 * h + which) * headSize + d];
    const ignored = (j: number) => Boolean(masked) && mask.data[mask.offset + j] !== 0;
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < frames; i++) {
        const scores: number[] = [];
        for (let j = 0; j < keys; j++) {
          if (plain) {
            let sum = 0;
            for (let d = 0; d < headSize; d++) sum += part(0, h, i, d) * part(1, h, j, d);
            const more = plain.added ? added.data[added.offset + i * added.rowStride + j] : 0;
            scores.push(sum / Math.sqrt(width) + more);
            continue;
          }
          let content = 0;
          let position = 0;
          const distance = frames - 1 - i + j;
          for (let d = 0; d < headSize; d++) {
            const at = h * headSize + d;
            const p = positions.data[positions.offset + distance * positions.rowStride + at];
            content += (part(0, h, past + i, d) + biasU.data[biasU.offset + at]) * part(1, h, j, d);
            position += (part(0, h, past + i, d) + biasV.data[biasV.offset + at]) * p;
          }
          scores.push((content + position) / Math.sqrt(width));
        }
        const kept = scores.filter((_, j) => !ignored(j));
        const top = Math.max(...kept);
        const total = kept.reduce((sum, s) => sum + Math.exp(s - top), 0);
        for (let j = 0; j < keys; j++) {
          const w = ignored(j) ? 0 : Math.exp(scores[j] - top) / total;
          weights[(h * frames + i) * keys + j] = w;
          for (let d = 0; d < headSize; d++) y[i * width + h * headSize + d] += w * part(2, h, j, d);
        }
      }
    }
    return { weights: map ? weights : [], y };
  },
  variants: relativeAttentionVariants,
  gpu: relativeAttentionGpu,
};
