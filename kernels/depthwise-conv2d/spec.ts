import type { Conv2dActivation } from '../conv2d/reference.js';
import type { KernelSpec } from '../spec.js';
import { depthwiseConv2dGpu } from './gpu.js';
import {
  type DepthwiseConv2dGeometry,
  type DepthwiseConv2dKernel,
  depthwiseConv2dOutputSize,
} from './reference.js';
import { depthwiseConv2dVariants } from './variants.js';

export interface DepthwiseConv2dCase extends DepthwiseConv2dGeometry {
  readonly activation?: Conv2dActivation;
}

const operands = (g: DepthwiseConv2dCase) => {
  const out = depthwiseConv2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    x: { role: 'input', rows: g.height * g.width, columns: g.channels, ...dense },
    weight: { role: 'input', rows: g.channels, columns: g.kernelHeight * g.kernelWidth, ...dense },
    bias: { role: 'input', rows: 1, columns: g.channels, ...dense },
    y: { role: 'output', rows: out.height * out.width, columns: g.channels, ...dense },
  } as const;
};

const pads = (padTop: number, padBottom: number, padLeft: number, padRight: number) => ({
  padTop,
  padBottom,
  padLeft,
  padRight,
});

const image = (height: number, width: number, channels: number) => ({
  height,
  width,
  channels,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 1,
  strideWidth: 1,
  ...pads(1, 1, 1, 1),
});
const relu = { activation: 'relu' as const };
const halving = { strideHeight: 2, strideWidth: 2 };
const filter = (kernelHeight: number, kernelWidth: number) => ({ kernelHeight, kernelWidth });

export const depthwiseConv2dSpec: KernelSpec<
  DepthwiseConv2dCase,
  ReturnType<typeof operands>,
  DepthwiseConv2dKernel
> = {
  name: 'depthwise-conv2d',
  formula: 'Y[y,x,c] = f(bias[c] + Σ_{r,s} X[y·sₕ + r − pₕ, x·s_w + s − p_w, c] W[c,r,s])',
  shapes:
    'X [H, W, C], W [C, R, S], bias [C], Y [H′, W′, C]; zeros outside X, padding on each side by itself',
  source:
    'MobileNets (Howard et al. 2017); PyTorch Conv2d with groups = channels, TensorFlow DepthwiseConv2d',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    // Rows around tiles of 4 and 8, channels around groups of 4 and slabs of 16
    ...[1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17].map((height) => image(height, 4, 5)),
    ...[1, 2, 3, 4, 15, 16, 17, 33].map((channels) => image(5, 3, channels)),
    ...[1, 2, 5].map((width) => ({ ...image(6, width, 6), ...relu })),
    // Filters of every run of taps, higher than the image, one pixel, and no padding
    ...[1, 2, 4, 5, 7].map((height) => ({ ...image(9, 6, 3), ...filter(height, 2), ...pads(3, 3, 0, 0) })),
    { ...image(2, 2, 3), ...filter(7, 5), ...pads(3, 3, 2, 2) },
    { ...image(4, 5, 8), ...filter(1, 1), ...pads(0, 0, 0, 0) },
    { ...image(11, 9, 4), ...pads(0, 0, 0, 0) },
    // Padding of one side, of more than a filter, and strides that leave rows and columns unseen
    { ...image(8, 6, 4), ...pads(0, 1, 1, 0) },
    { ...image(3, 3, 2), ...pads(4, 5, 6, 3) },
    ...[5, 6, 7, 8].flatMap((size) => [
      { ...image(size, 13 - size, 5), ...halving, ...pads(0, 1, 0, 1) },
      { ...image(size, 13 - size, 5), ...halving, ...pads(0, 0, 1, 0), ...relu },
    ]),
    { ...image(20, 7, 3), ...filter(5, 3), strideHeight: 3, strideWidth: 2, ...pads(2, 1, 1, 1) },
    { ...image(21, 9, 3), ...filter(2, 1), strideHeight: 5, strideWidth: 3, ...pads(1, 0, 0, 0) },
    // More than one band of columns
    { ...image(300, 31, 17), ...filter(3, 2), strideWidth: 2, ...pads(1, 1, 0, 1) },
  ],
  workloads: [
    { name: 'keyword DS-CNN small, 1 s', sizes: { ...image(25, 5, 64), ...relu } },
    { name: 'keyword DS-CNN medium, 1 s', sizes: { ...image(25, 5, 172), ...relu } },
    { name: 'keyword DS-CNN large, 1 s', sizes: { ...image(25, 5, 276), ...relu } },
    {
      name: 'MobileNet, halving, 48 x 48',
      sizes: { ...image(48, 48, 64), ...halving, ...pads(0, 1, 0, 1), ...relu },
    },
    { name: 'MobileNet, 96 x 64', sizes: { ...image(96, 64, 128), ...relu } },
  ],
  cost: (g) => {
    const out = depthwiseConv2dOutputSize(g);
    const outputs = out.height * out.width * g.channels;
    const taps = g.kernelHeight * g.kernelWidth;
    return {
      operations: 2 * outputs * taps,
      bytes: 4 * (g.height * g.width * g.channels + g.channels * taps + outputs),
    };
  },
  operands,
  bind(kernel, g, { x, weight, bias, y }) {
    const packed = kernel.pack(g, weight.data, weight.offset, 'kept');
    const { activation = 'none' } = g;
    return () =>
      kernel.convolve(g, x.data, x.offset, packed, bias.data, bias.offset, activation, y.data, y.offset);
  },
  exact(g, { x, weight, bias }) {
    const out = depthwiseConv2dOutputSize(g);
    const y: number[] = [];
    for (let oy = 0; oy < out.height; oy++) {
      for (let ox = 0; ox < out.width; ox++) {
        for (let c = 0; c < g.channels; c++) {
          let sum = bias.data[bias.offset + c];
          for (let r = 0; r < g.kernelHeight; r++) {
            for (let s = 0; s < g.kernelWidth; s++) {
              const row = oy * g.strideHeight + r - g.padTop;
              const column = ox * g.strideWidth + s - g.padLeft;
              if (row < 0 || row >= g.height || column < 0 || column >= g.width) continue;
              const tap = (c * g.kernelHeight + r) * g.kernelWidth + s;
              sum +=
                x.data[x.offset + (row * g.width + column) * g.channels + c] *
                weight.data[weight.offset + tap];
            }
          }
          y.push(g.activation === 'relu' ? Math.max(sum, 0) : sum);
        }
      }
    }
    return { y };
  },
  variants: depthwiseConv2dVariants,
  gpu: depthwiseConv2dGpu,
};
