import type { KernelSpec } from '../../spec.js';
import type { ImagePoolingSizes } from '../reference.js';
import { imagePoolingSpec, meansOf } from '../spec.js';
import type { ImagePoolingBackward } from './reference.js';
import { imagePoolingBackwardVariants } from './variants.js';

const operands = ({ steps, bands, channels }: ImagePoolingSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: steps * bands, columns: channels, strided: false },
    dy: { role: 'input', type: 'float32', rows: 1, columns: channels, strided: false },
    dx: { role: 'output', type: 'float32', rows: steps * bands, columns: channels, strided: false },
  }) as const;

export const imagePoolingBackwardSpec: KernelSpec<
  ImagePoolingSizes,
  ReturnType<typeof operands>,
  ImagePoolingBackward
> = {
  name: 'image-pooling-backward',
  formula: 'dX[t,f,c] = dy[c] (1/T + [t = argmax_t m[t,c]]) / F, m[t,c] = Σ_f X[t,f,c] / F',
  shapes: 'X and dX [T, F, C], dy [C]',
  source: 'derivative of image-pooling; of equal means the first counts',
  tolerance: 1e-6,
  // Which of several means is the largest says nothing where one is no number.
  nonFinite: false,
  sizes: imagePoolingSpec.sizes,
  example: { steps: 4, bands: 2, channels: 3 },
  workloads: imagePoolingSpec.workloads,
  cost: ({ steps, bands, channels }) => ({
    operations: 2 * steps * bands * channels,
    bytes: 4 * channels * (2 * steps * bands + 1),
  }),
  operands,
  bind:
    (kernel, sizes, { x, dy, dx }) =>
    () =>
      kernel(sizes, x.data, x.offset, dy.data, dy.offset, dx.data, dx.offset),
  exact(sizes, { x, dy }) {
    const { steps, bands, channels } = sizes;
    const dx = new Float64Array(steps * bands * channels);
    for (let c = 0; c < channels; c++) {
      const means = meansOf(sizes, x, c);
      const largest = means.indexOf(Math.max(...means));
      means.forEach((_, t) => {
        const share = t === largest ? 1 / steps + 1 : 1 / steps;
        for (let f = 0; f < bands; f++) {
          dx[(t * bands + f) * channels + c] = (share * dy.data[dy.offset + c]) / bands;
        }
      });
    }
    return { dx };
  },
  variants: imagePoolingBackwardVariants,
};
