import type { KernelSpec, OperandSpecs, Random } from '../spec.js';
import { nearestCodewordGpu } from './gpu.js';
import type { NearestCodewordKernel } from './reference.js';
import { nearestCodewordVariants } from './variants.js';

export interface NearestCodewordSizes {
  readonly count: number;
  readonly width: number;
  readonly stages: number;
  readonly codewords: number;
  /**
   * How much weaker each feature is than the one before; default 1. Below it the data lie near a subspace, as what
   * networks make does, and uniform noise does not.
   */
  readonly decay?: number;
}

const operands = ({ count, width, stages, codewords, decay = 1 }: NearestCodewordSizes) => {
  const fill = (random: Random, index: number) => (2 * random() - 1) * decay ** (index % width);
  return {
    vectors: { role: 'input', type: 'float32', rows: count, columns: width, fill },
    codebooks: {
      role: 'input',
      type: 'float32',
      rows: stages * codewords,
      columns: width,
      strided: false,
      fill,
    },
    residual: { role: 'output', type: 'float32', rows: count, columns: width },
    indices: { role: 'output', type: 'int32', rows: count, columns: stages },
  } as const satisfies OperandSpecs;
};

const quantiser = (
  name: string,
  count: number,
  width: number,
  codewords: number,
  stages: number,
  decay = 1,
) => ({ name, sizes: { count, width, stages, codewords, decay } });

export const nearestCodewordSpec: KernelSpec<
  NearestCodewordSizes,
  ReturnType<typeof operands>,
  NearestCodewordKernel
> = {
  name: 'nearest-codeword',
  formula: 'index[n,s] = argmin_v |r_s − C[s,v]|², r_{s+1} = r_s − C[s, index[n,s]], r_0 = X[n]',
  shapes: 'X [N, D], C [K, V, D], indices [N, K], residual r_K [N, D]; the lowest index of equals',
  source: 'residual vector quantisation: Juang and Gray 1982; Zeghidour et al. 2021 (SoundStream)',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [
    ...[1, 2, 5, 16, 17].map((codewords) => ({ count: 3, width: 6, stages: 2, codewords })),
    ...[1, 3, 4, 15, 16, 33].map((width) => ({ count: 4, width, stages: 3, codewords: 7 })),
    { count: 9, width: 8, stages: 1, codewords: 32 },
    { count: 2, width: 96, stages: 2, codewords: 256 },
    // Tiles of 4 frames, panels of 8 codewords, scores of 16, pieces of some frames.
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((count) => ({ count, width: 10, stages: 1, codewords: 24 })),
    ...[15, 16, 17, 31, 32, 33].map((codewords) => ({ count: 5, width: 7, stages: 2, codewords })),
    { count: 70, width: 520, stages: 1, codewords: 20 },
    // Bounds of a few features.
    ...[48, 49, 55, 64].map((width) => ({ count: 6, width, stages: 3, codewords: 128, decay: 0.85 })),
    { count: 45, width: 96, stages: 4, codewords: 200, decay: 0.9 },
  ],
  example: { count: 3, width: 4, stages: 2, codewords: 4 },
  workloads: [
    quantiser('shipped model, 10 s', 125, 96, 256, 2, 0.85),
    quantiser('shipped model, one frame', 1, 96, 256, 2, 0.85),
    ...[144, 512].flatMap((width) =>
      [256, 1024].flatMap((codewords) =>
        [1, 8].map((stages) =>
          quantiser(`250 frames, d ${width}, ${stages} x ${codewords}`, 250, width, codewords, stages),
        ),
      ),
    ),
    quantiser('one frame, d 144, 8 x 256', 1, 144, 256, 8),
    quantiser('one frame, d 512, 8 x 1024', 1, 512, 1024, 8),
    quantiser('250 frames near a subspace, d 144, 8 x 256', 250, 144, 256, 8, 0.95),
    quantiser('250 frames near a subspace, d 512, 8 x 1024', 250, 512, 1024, 8, 0.98),
  ],
  cost: ({ count, width, stages, codewords }) => ({
    operations: 3 * count * width * stages * codewords,
    bytes: 4 * (2 * count * width + stages * codewords * width + count * stages),
  }),
  operands,
  bind(kernel, { count, width, stages, codewords }, { vectors, codebooks, residual, indices }) {
    const packed = kernel.pack(stages, codewords, width, codebooks.data, codebooks.offset, 'kept');
    return () => {
      for (let n = 0; n < count; n++) {
        const from = vectors.offset + n * vectors.rowStride;
        const to = residual.offset + n * residual.rowStride;
        residual.data.set(vectors.data.subarray(from, from + width), to);
      }
      kernel.encode(
        count,
        stages,
        packed,
        residual.data,
        residual.offset,
        residual.rowStride,
        indices.data,
        indices.offset,
        indices.rowStride,
      );
    };
  },
  exact({ count, width, stages, codewords }, { vectors, codebooks }) {
    const indices: number[] = [];
    const residuals: number[] = [];
    for (let n = 0; n < count; n++) {
      const from = vectors.offset + n * vectors.rowStride;
      let residual = Array.from(vectors.data.subarray(from, from + width));
      for (let s = 0; s < stages; s++) {
        const words = Array.from({ length: codewords }, (_, v) => {
          const word = codebooks.offset + (s * codewords + v) * width;
          return residual.map((r, d) => r - codebooks.data[word + d]);
        });
        const distances = words.map((difference) => difference.reduce((sum, x) => sum + x * x, 0));
        // A NaN distance never wins; where all are NaN the first index stands.
        const smallest = Math.min(...distances.filter((d) => !Number.isNaN(d)));
        const index = Math.max(0, distances.indexOf(smallest));
        indices.push(index);
        residual = words[index].map(Math.fround);
      }
      residuals.push(...residual);
    }
    return { indices, residual: residuals };
  },
  variants: nearestCodewordVariants,
  gpu: nearestCodewordGpu,
};
