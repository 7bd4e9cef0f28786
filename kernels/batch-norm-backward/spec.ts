import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { BatchNormBackward } from './reference.js';
import { batchNormBackwardVariants } from './variants.js';

export interface BatchNormBackwardSizes {
  readonly rows: number;
  readonly channels: number;
  /** Whether mean and variance count as those of x. */
  readonly ofBatch: boolean;
}

const EPSILON = 1e-5;

const operands = ({ rows, channels }: BatchNormBackwardSizes) => {
  const vector = { role: 'input', type: 'float32', rows: 1, columns: channels } as const;
  return {
    // Above every mean, and dy not around 0: what is left where most of a sum cancels has few digits in float32.
    x: { role: 'input', type: 'float32', rows, columns: channels, fill: (random) => 1.2 + random() },
    mean: vector,
    variance: { ...vector, fill: (random) => 0.1 + random() },
    weight: vector,
    dy: { role: 'input', type: 'float32', rows, columns: channels, fill: (random) => 2 * random() - 0.5 },
    dx: { role: 'output', type: 'float32', rows, columns: channels },
    dweight: { ...vector, role: 'output' },
    dbias: { ...vector, role: 'output' },
  } as const satisfies OperandSpecs;
};

export const batchNormBackwardSpec: KernelSpec<
  BatchNormBackwardSizes,
  ReturnType<typeof operands>,
  BatchNormBackward
> = {
  name: 'batch-norm-backward',
  formula: 'dX = (dY − s (db + X̂ dw)) w / √(var + ε); dw = Σ_r dY X̂; db = Σ_r dY',
  shapes:
    'X, dY and dX [R, C]; mean, var, w, dw and db [C]; X̂ = (X − mean) / √(var + ε); s = 1 / R, or 0 for stored statistics',
  source: 'Ioffe and Szegedy 2015, section 3; PyTorch BatchNorm, channels last, its gradients',
  tolerance: 4e-6,
  nonFinite: true,
  sizes: [true, false].flatMap((ofBatch) => [
    ...[1, 2, 3, 4, 5, 8, 17].flatMap((channels) => [1, 4, 13].map((rows) => ({ rows, channels, ofBatch }))),
    { rows: 300, channels: 6, ofBatch },
  ]),
  example: { rows: 4, channels: 4, ofBatch: true },
  workloads: [
    {
      name: 'keyword network, block 1, 32 clips of 1 s',
      sizes: { rows: 32 * 50 * 20, channels: 32, ofBatch: true },
    },
    { name: 'CNN14 block 2, 1 s', sizes: { rows: 43 * 40, channels: 128, ofBatch: true } },
  ],
  cost: ({ rows, channels }) => ({ operations: 10 * rows * channels, bytes: 12 * (rows + 2) * channels }),
  operands,
  bind:
    (kernel, { rows, channels, ofBatch }, { x, mean, variance, weight, dy, dx, dweight, dbias }) =>
    () =>
      kernel(
        rows,
        channels,
        EPSILON,
        ofBatch,
        x.data,
        x.offset,
        x.rowStride,
        mean.data,
        mean.offset,
        variance.data,
        variance.offset,
        weight.data,
        weight.offset,
        dy.data,
        dy.offset,
        dy.rowStride,
        dx.data,
        dx.offset,
        dx.rowStride,
        dweight.data,
        dweight.offset,
        dbias.data,
        dbias.offset,
      ),
  exact({ rows, channels, ofBatch }, { x, mean, variance, weight, dy }) {
    const dx = new Array<number>(rows * channels);
    const dweight: number[] = [];
    const dbias: number[] = [];
    for (let c = 0; c < channels; c++) {
      const deviation = Math.sqrt(variance.data[variance.offset + c] + EPSILON);
      const column = ({ data, offset, rowStride }: typeof x) =>
        Array.from({ length: rows }, (_, r) => data[offset + r * rowStride + c]);
      const given = column(dy);
      const normal = column(x).map((v) => (v - mean.data[mean.offset + c]) / deviation);
      dweight.push(given.reduce((sum, d, r) => sum + d * normal[r], 0));
      dbias.push(given.reduce((sum, d) => sum + d, 0));
      given.forEach((d, r) => {
        const moved = (ofBatch ? 1 / rows : 0) * (dbias[c] + normal[r] * dweight[c]);
        dx[r * channels + c] = ((d - moved) * weight.data[weight.offset + c]) / deviation;
      });
    }
    return { dx, dweight, dbias };
  },
  variants: batchNormBackwardVariants,
};
