import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { LayerNormBackward } from './reference.js';
import { layerNormBackwardVariants } from './variants.js';

export interface LayerNormBackwardSizes {
  readonly rows: number;
  readonly columns: number;
  /** Added to every input, to show what a large mean costs. */
  readonly mean?: number;
}

const EPSILON = 1e-5;

const operands = ({ rows, columns, mean = 0 }: LayerNormBackwardSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows, columns, fill: (random) => mean + 2 * random() - 1 },
    weight: { role: 'input', type: 'float32', rows: 1, columns },
    dy: { role: 'input', type: 'float32', rows, columns },
    dx: { role: 'output', type: 'float32', rows, columns },
    dweight: { role: 'output', type: 'float32', rows: 1, columns },
    dbias: { role: 'output', type: 'float32', rows: 1, columns },
  }) as const satisfies OperandSpecs;

const frames = (name: string, rows: number, columns: number) => ({ name, sizes: { rows, columns } });

export const layerNormBackwardSpec: KernelSpec<
  LayerNormBackwardSizes,
  ReturnType<typeof operands>,
  LayerNormBackward
> = {
  name: 'layer-norm-backward',
  formula: 'dX = (G − ⟨G⟩ − X̂ ⟨G X̂⟩) / √(var_r + ε), G = dY w; dw = Σ_r dY X̂; db = Σ_r dY',
  shapes: 'X, dY and dX [rows, columns]; w, dw and db [columns]; ⟨ ⟩ is the mean of a row',
  source: 'Ba et al. 2016; PyTorch LayerNorm, its gradients',
  tolerance: 5e-6,
  nonFinite: true,
  // Two columns are left out: nothing but rounding is left of their dx.
  sizes: [
    ...[1, 3, 4, 5, 8, 15, 16, 17, 31, 96].map((columns) => ({ rows: 3, columns })),
    { rows: 19, columns: 6 },
    { rows: 1, columns: 640 },
    { rows: 2, columns: 64, mean: 100 },
  ],
  workloads: [
    frames('shipped model, 32 s', 800, 96),
    frames('front end of the shipped model, 8 s', 400, 640),
  ],
  cost: ({ rows, columns }) => ({ operations: 20 * rows * columns, bytes: 12 * (rows + 1) * columns }),
  operands,
  bind:
    (kernel, { rows, columns }, { x, weight, dy, dx, dweight, dbias }) =>
    () =>
      kernel(
        rows,
        columns,
        EPSILON,
        x.data,
        x.offset,
        x.rowStride,
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
  exact({ rows, columns }, { x, weight, dy }) {
    const dx: number[] = [];
    const dweight = new Array<number>(columns).fill(0);
    const dbias = new Array<number>(columns).fill(0);
    const average = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / columns;
    for (let r = 0; r < rows; r++) {
      const row = Array.from({ length: columns }, (_, c) => x.data[x.offset + r * x.rowStride + c]);
      const given = row.map((_, c) => dy.data[dy.offset + r * dy.rowStride + c]);
      const mean = average(row);
      const deviation = Math.sqrt(average(row.map((v) => (v - mean) ** 2)) + EPSILON);
      const normal = row.map((v) => (v - mean) / deviation);
      const g = given.map((d, c) => d * weight.data[weight.offset + c]);
      const [middle, slope] = [average(g), average(g.map((v, c) => v * normal[c]))];
      g.forEach((v, c) => {
        dx.push((v - middle - normal[c] * slope) / deviation);
        dweight[c] += given[c] * normal[c];
        dbias[c] += given[c];
      });
    }
    return { dx, dweight, dbias };
  },
  variants: layerNormBackwardVariants,
};
