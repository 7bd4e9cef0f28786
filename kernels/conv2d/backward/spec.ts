import type { KernelSpec } from '../../spec.js';
import { type Conv2dGeometry, conv2dOutputSize } from '../reference.js';
import { paddedPixel } from '../spec.js';
import type { Conv2dBackward } from './reference.js';
import { conv2dBackwardVariants } from './variants.js';

export interface Conv2dBackwardCase extends Omit<Conv2dGeometry, 'height'> {
  /** Rows of each image. */
  readonly heights: readonly number[];
}

const imagesOf = ({ heights, ...rest }: Conv2dBackwardCase): Conv2dGeometry[] =>
  heights.map((height) => ({ ...rest, height }));

const pixelsOf = (g: Conv2dBackwardCase) => {
  let [seen, given] = [0, 0];
  for (const image of imagesOf(g)) {
    const out = conv2dOutputSize(image);
    seen += image.height * image.width;
    given += out.height * out.width;
  }
  return { seen, given };
};

const operands = (g: Conv2dBackwardCase) => {
  const { seen, given } = pixelsOf(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    x: { role: 'input', rows: seen, columns: g.inChannels, ...dense },
    dy: { role: 'input', rows: given, columns: g.outChannels, ...dense },
    dw: {
      role: 'output',
      rows: g.outChannels,
      columns: g.kernelHeight * g.kernelWidth * g.inChannels,
      ...dense,
    },
  } as const;
};

const images = (
  heights: readonly number[],
  width: number,
  inChannels: number,
  outChannels: number,
): Conv2dBackwardCase => ({
  heights,
  width,
  inChannels,
  outChannels,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 1,
  strideWidth: 1,
  padHeight: 1,
  padWidth: 1,
  padMode: 'zero',
});
const halving = { strideHeight: 2, strideWidth: 2, padMode: 'reflect' } as const;

export const conv2dBackwardSpec: KernelSpec<
  Conv2dBackwardCase,
  ReturnType<typeof operands>,
  Conv2dBackward
> = {
  name: 'conv2d-backward',
  formula: 'dW[o,r,s,c] = Σ_{y,x} dY[y,x,o] X[y·sₕ + r − pₕ, x·s_w + s − p_w, c]',
  shapes: 'X [Σ H, W, C], dY [Σ H′, W′, O], dW [O, R, S, C]; padding of zeros or mirrored around each image',
  source: 'derivative of conv2d by its filters; Winograd: that of Lavin and Gray 2015, section 4.1',
  tolerance: 2e-6,
  // Winograd spreads NaN and infinities over the taps of a channel.
  nonFinite: false,
  sizes: [
    // Groups of 4 numbers of a window, panels of 8 channels
    ...[1, 2, 3, 4, 5].map((inChannels) => images([5], 4, inChannels, 3)),
    ...[1, 7, 8, 9, 16, 17].map((outChannels) => images([3, 4], 5, 1, outChannels)),
    ...[1, 2, 3, 6, 7].map((size) => ({ ...images([size, 3], 8 - size, 2, 5), ...halving })),
    { ...images([6, 2], 5, 7, 6), kernelHeight: 1, kernelWidth: 1, padHeight: 0, padWidth: 0 },
    { ...images([9], 8, 2, 3), kernelHeight: 5, padHeight: 2, strideWidth: 2 },
    { ...images([9, 5], 9, 4, 8), kernelHeight: 1, padHeight: 0, strideHeight: 2, strideWidth: 3 },
    { ...images([5, 4], 6, 3, 8), kernelWidth: 4, padWidth: 0, padHeight: 0 },
    {
      ...images([4], 4, 1, 2),
      kernelHeight: 5,
      kernelWidth: 5,
      padHeight: 2,
      padWidth: 2,
      padMode: 'reflect',
    },
    // Several blocks of 240 pixels, several bands
    { ...images([31, 12], 17, 4, 5) },
    { ...images([40], 70, 20, 8), ...halving },
    // Winograd: tiles of 2 x 2 cut at both edges, blocks of 60 tiles over several images, several bands
    ...[3, 4, 5, 9].flatMap((height) => [2, 3, 7, 8].map((width) => images([height], width, 8, 8))),
    images([5, 2, 1, 13], 6, 12, 16),
    images([20, 21], 13, 8, 24),
    { ...images([7, 6], 6, 8, 8), padMode: 'reflect' },
    { ...images([7, 6], 6, 8, 8), padHeight: 0, padWidth: 2 },
    images([40], 31, 48, 8),
  ],
  example: images([4], 4, 1, 2),
  workloads: [
    ...[
      [430, 80, 1, 16],
      [430, 80, 16, 16],
      [215, 40, 16, 32],
      [107, 20, 64, 64],
      [53, 10, 128, 128],
      [26, 5, 256, 256],
    ].map(([height, width, from, to]) => ({
      name: `CNN14 of small width, ${from} to ${to}, 4 images`,
      sizes: images([height, height, height, height], width, from, to),
    })),
    { name: 'shipped model, first layer, 2 s', sizes: { ...images([201], 40, 1, 32), ...halving } },
    { name: 'shipped model, second layer, 2 s', sizes: { ...images([101], 20, 32, 16), ...halving } },
  ],
  cost(g) {
    const { seen, given } = pixelsOf(g);
    const filters = g.outChannels * g.kernelHeight * g.kernelWidth * g.inChannels;
    return {
      operations: 2 * given * filters,
      bytes: 4 * (seen * g.inChannels + given * g.outChannels + filters),
    };
  },
  operands,
  bind: (kernel, g, { x, dy, dw }) => {
    const [first] = imagesOf(g);
    return () => kernel(first, g.heights, x.data, x.offset, dy.data, dy.offset, dw.data, dw.offset);
  },
  exact(g, { x, dy }) {
    const dw: number[] = [];
    for (let o = 0; o < g.outChannels; o++) {
      for (let r = 0; r < g.kernelHeight; r++) {
        for (let s = 0; s < g.kernelWidth; s++) {
          for (let c = 0; c < g.inChannels; c++) {
            let sum = 0;
            let [image, pixel] = [x.offset, dy.offset + o];
            for (const one of imagesOf(g)) {
              const out = conv2dOutputSize(one);
              const at = { ...x, offset: image };
              for (let oy = 0; oy < out.height; oy++) {
                for (let ox = 0; ox < out.width; ox++, pixel += g.outChannels) {
                  const [row, column] = [oy * g.strideHeight + r, ox * g.strideWidth + s];
                  sum += dy.data[pixel] * paddedPixel(one, at, row, column, c);
                }
              }
              image += one.height * one.width * g.inChannels;
            }
            dw.push(sum);
          }
        }
      }
    }
    return { dw };
  },
  variants: conv2dBackwardVariants,
};
