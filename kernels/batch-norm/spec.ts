import type { KernelSpec, OperandSpecs } from '../spec.js';
import { batchNormGpu } from './gpu.js';
import type { BatchNorm } from './reference.js';
import { batchNormVariants } from './variants.js';

export interface BatchNormSizes {
  readonly rows: number;
  readonly channels: number;
}

const EPSILON = 1e-5;

const operands = ({ rows, channels }: BatchNormSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows, columns: channels },
    mean: { role: 'input', type: 'float32', rows: 1, columns: channels },
    variance: {
      role: 'input',
      type: 'float32',
      rows: 1,
      columns: channels,
      fill: (random) => 0.1 + random(),
    },
    weight: { role: 'input', type: 'float32', rows: 1, columns: channels },
    bias: { role: 'input', type: 'float32', rows: 1, columns: channels },
    y: { role: 'output', type: 'float32', rows, columns: channels },
  }) as const satisfies OperandSpecs;

export const batchNormSpec: KernelSpec<BatchNormSizes, ReturnType<typeof operands>, BatchNorm> = {
  name: 'batch-norm',
  formula: 'Y[r,c] = (X[r,c] − mean[c]) / √(var[c] + ε) · w[c] + b[c]',
  shapes: 'X [rows, C], mean, var, w and b [C], Y [rows, C]',
  source: 'Ioffe and Szegedy 2015; PyTorch BatchNorm in eval mode, channels last',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [1, 2, 3, 4, 5, 8, 17].flatMap((channels) => [
    { rows: 1, channels },
    { rows: 4, channels },
    { rows: 9, channels },
  ]),
  workloads: [
    { name: 'CNN14 input, 5 s', sizes: { rows: 431, channels: 80 } },
    { name: 'CNN14 block 2, 1 s', sizes: { rows: 43 * 40, channels: 128 } },
  ],
  cost: ({ rows, channels }) => ({ operations: 2 * rows * channels, bytes: 8 * (rows + 2) * channels }),
  operands,
  inPlace: [['y', 'x']],
  bind:
    (kernel, { rows, channels }, { x, mean, variance, weight, bias, y }) =>
    () =>
      kernel(
        rows,
        channels,
        EPSILON,
        x.data,
        x.offset,
        x.rowStride,
        mean.data,
        mean.offset,
        variance.data,
        variance.offset,
        weight.data,
        weight.offset,
        bias.data,
        bias.offset,
        y.data,
        y.offset,
        y.rowStride,
      ),
  exact({ rows, channels }, { x, mean, variance, weight, bias }) {
    const y: number[] = [];
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < channels; c++) {
        const centred = x.data[x.offset + r * x.rowStride + c] - mean.data[mean.offset + c];
        const deviation = Math.sqrt(variance.data[variance.offset + c] + EPSILON);
        y.push((centred / deviation) * weight.data[weight.offset + c] + bias.data[bias.offset + c]);
      }
    }
    return { y };
  },
  variants: batchNormVariants,
  gpu: batchNormGpu,
};
