import type { KernelSpec } from '../spec.js';
import { rotaryPositionsGpu } from './gpu.js';
import type { RotaryPositions, RotaryPositionsSizes } from './reference.js';
import { rotaryPositionsVariants } from './variants.js';

export interface RotaryPositionsCase extends RotaryPositionsSizes {
  /** Features between the heads, as between queries where keys and values stand beside them. */
  readonly between?: number;
}

/** Floats of a frame, and those from one head to the next. */
const layout = ({ heads, headSize, between = 0 }: RotaryPositionsCase) => ({
  columns: heads * (headSize + between) - between,
  headStride: headSize + between,
});

const operands = (sizes: RotaryPositionsCase) => {
  const { frames, headSize } = sizes;
  const { columns } = layout(sizes);
  return {
    x: { role: 'input', type: 'float32', rows: frames, columns },
    table: { role: 'input', type: 'float32', rows: frames, columns: 2 * headSize },
    y: { role: 'output', type: 'float32', rows: frames, columns: sizes.heads * headSize },
  } as const;
};

export const rotaryPositionsSpec: KernelSpec<
  RotaryPositionsCase,
  ReturnType<typeof operands>,
  RotaryPositions
> = {
  name: 'rotary-positions',
  formula:
    'Y[t,h,2i] = X[t,h,2i] cos(t ω_i) − X[t,h,2i+1] sin(t ω_i), Y[t,h,2i+1] = X[t,h,2i+1] cos(t ω_i) + X[t,h,2i] sin(t ω_i)',
  shapes: 'X and Y [T, heads, n] with n even, cosines and ∓ sines [T, 2n]',
  source: 'Su et al. 2021 (RoFormer), as SpeechBrain RoPEMHA computes it',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [
    ...[2, 4, 6, 8, 10, 16, 18].map((headSize) => ({ frames: 3, heads: 2, headSize })),
    ...[1, 2, 5].map((frames) => ({ frames, heads: 3, headSize: 6 })),
    { frames: 4, heads: 1, headSize: 4 },
    { frames: 5, heads: 3, headSize: 6, between: 12 },
    { frames: 2, heads: 2, headSize: 8, between: 3 },
  ],
  workloads: [
    {
      name: 'conformer large, queries of 10 s',
      sizes: { frames: 251, heads: 8, headSize: 64, between: 128 },
    },
  ],
  cost: ({ frames, heads, headSize }) => ({
    operations: 3 * frames * heads * headSize,
    bytes: 8 * frames * (heads + 1) * headSize,
  }),
  operands,
  bind: (kernel, sizes, { x, table, y }) => {
    const { frames, heads, headSize } = sizes;
    return () =>
      kernel(
        { frames, heads, headSize },
        x.data,
        x.offset,
        x.rowStride,
        layout(sizes).headStride,
        table.data,
        table.offset,
        table.rowStride,
        y.data,
        y.offset,
        y.rowStride,
        headSize,
      );
  },
  exact(sizes, { x, table }) {
    const { frames, heads, headSize } = sizes;
    const y: number[] = [];
    for (let t = 0; t < frames; t++) {
      for (let h = 0; h < heads; h++) {
        for (let d = 0; d < headSize; d++) {
          const from = x.offset + t * x.rowStride + h * layout(sizes).headStride;
          const row = table.offset + t * table.rowStride;
          const partner = d % 2 === 0 ? d + 1 : d - 1;
          y.push(
            x.data[from + d] * table.data[row + d] + x.data[from + partner] * table.data[row + headSize + d],
          );
        }
      }
    }
    return { y };
  },
  variants: rotaryPositionsVariants,
  gpu: rotaryPositionsGpu,
};
