import type { KernelSpec } from '../../spec.js';
import { type Conv2dGeometry, conv2dOutputSize } from '../reference.js';
import type { Conv2dScatter } from './reference.js';
import { conv2dScatterVariants } from './variants.js';

const operands = (g: Conv2dGeometry) => {
  const out = conv2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    v: {
      role: 'input',
      rows: out.height * out.width,
      columns: g.kernelHeight * g.kernelWidth * g.inChannels,
      ...dense,
    },
    x: { role: 'output', rows: g.height * g.width, columns: g.inChannels, ...dense },
  } as const;
};

const image = (height: number, width: number, inChannels: number): Conv2dGeometry => ({
  height,
  width,
  inChannels,
  outChannels: 1,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 2,
  strideWidth: 2,
  padHeight: 1,
  padWidth: 1,
  padMode: 'reflect',
});

export const conv2dScatterSpec: KernelSpec<Conv2dGeometry, ReturnType<typeof operands>, Conv2dScatter> = {
  name: 'conv2d-scatter',
  formula: 'X[i,j,c] = Σ V[y,x,r,s,c] over (y,x,r,s) with (y·sₕ + r − pₕ, x·s_w + s − p_w) = (i,j)',
  shapes:
    'V [H′, W′, R, S, C], X [H, W, C]; zeros of a padding are dropped, mirrored pixels added to their originals',
  source: 'derivative of the windows of conv2d (col2im)',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [
    ...[1, 2, 3, 4, 5, 7, 8, 9, 12].map((inChannels) => image(5, 4, inChannels)),
    ...[1, 2, 3, 6, 7].map((size) => image(size, 8 - size, 3)),
    ...[1, 2, 5].map((size) => ({ ...image(size, 6 - size, 4), padMode: 'zero' as const })),
    { ...image(5, 6, 3), strideHeight: 1, strideWidth: 1 },
    { ...image(9, 8, 2), kernelHeight: 5, padHeight: 2, strideHeight: 1, padMode: 'zero' },
    { ...image(9, 9, 2), kernelHeight: 1, padHeight: 0, padWidth: 0, strideWidth: 3 },
    { ...image(4, 4, 1), kernelHeight: 5, kernelWidth: 5, padHeight: 2, padWidth: 2 },
  ],
  example: image(4, 4, 1),
  workloads: [
    { name: 'shipped model, second layer, 2 s', sizes: image(101, 20, 32) },
    { name: 'conformer small, second layer, 2 s', sizes: image(101, 40, 64) },
  ],
  cost(g) {
    const out = conv2dOutputSize(g);
    const windows = out.height * out.width * g.kernelHeight * g.kernelWidth * g.inChannels;
    return { operations: windows, bytes: 4 * (windows + g.height * g.width * g.inChannels) };
  },
  operands,
  bind:
    (kernel, g, { v, x }) =>
    () =>
      kernel(g, v.data, v.offset, x.data, x.offset),
  exact(g, { v }) {
    const out = conv2dOutputSize(g);
    const x = new Float64Array(g.height * g.width * g.inChannels);
    // Mirrored step by step rather than by the kernel's own arithmetic; null in a padding of zeros.
    const seen = (position: number, length: number): number | null => {
      let i = position;
      while (i < 0 || i >= length) {
        if (g.padMode === 'zero') return null;
        i = length === 1 ? 0 : i < 0 ? -i : 2 * (length - 1) - i;
      }
      return i;
    };
    let at = v.offset;
    for (let oy = 0; oy < out.height; oy++) {
      for (let ox = 0; ox < out.width; ox++) {
        for (let r = 0; r < g.kernelHeight; r++) {
          for (let s = 0; s < g.kernelWidth; s++) {
            const i = seen(oy * g.strideHeight + r - g.padHeight, g.height);
            const j = seen(ox * g.strideWidth + s - g.padWidth, g.width);
            for (let c = 0; c < g.inChannels; c++, at++) {
              if (i !== null && j !== null) x[(i * g.width + j) * g.inChannels + c] += v.data[at];
            }
          }
        }
      }
    }
    return { x };
  },
  variants: conv2dScatterVariants,
};
