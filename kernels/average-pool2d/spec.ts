import type { KernelSpec } from '../spec.js';
import { averagePool2dGpu } from './gpu.js';
import { type AveragePool2d, type Pool2dGeometry, pool2dOutputSize } from './reference.js';
import { averagePool2dVariants } from './variants.js';

const operands = (g: Pool2dGeometry) => {
  const out = pool2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    x: { role: 'input', rows: g.height * g.width, columns: g.channels, ...dense },
    y: { role: 'output', rows: out.height * out.width, columns: g.channels, ...dense },
  } as const;
};

const halved = (height: number, width: number, channels: number): Pool2dGeometry => ({
  height,
  width,
  channels,
  windowHeight: 2,
  windowWidth: 2,
  strideHeight: 2,
  strideWidth: 2,
});

export const averagePool2dSpec: KernelSpec<Pool2dGeometry, ReturnType<typeof operands>, AveragePool2d> = {
  name: 'average-pool2d',
  formula: 'Y[y,x,c] = Σ_{r,s} X[y·sₕ + r, x·s_w + s, c] / (h·w)',
  shapes: 'X [H, W, C], windows h x w, Y [⌊(H−h)/sₕ⌋+1, ⌊(W−w)/s_w⌋+1, C]; no padding',
  source: 'PyTorch avg_pool2d; blocks of CNN14 (Kong et al. 2020)',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [
    // Channels around vectors of 4 and turns of 8; odd rows and columns are left over
    ...[1, 2, 3, 4, 5, 7, 8, 9, 12, 13].map((channels) => halved(5, 4, channels)),
    ...[2, 3, 7].map((size) => halved(size, 9 - size, 6)),
    { ...halved(6, 7, 5), windowHeight: 1 },
    { ...halved(6, 7, 5), windowWidth: 1, strideWidth: 1 },
    { ...halved(7, 8, 9), windowHeight: 3, windowWidth: 4, strideHeight: 1 },
    { ...halved(5, 5, 3), strideHeight: 1, strideWidth: 3 },
    { ...halved(4, 5, 7), windowHeight: 4, windowWidth: 5 },
    { ...halved(3, 3, 2), windowHeight: 1, windowWidth: 1, strideHeight: 1, strideWidth: 1 },
  ],
  workloads: [
    [26, 5, 1024],
    [53, 10, 512],
    [107, 20, 256],
    [215, 40, 128],
    [431, 80, 64],
  ].map(([frames, mels, channels], i) => ({
    name: `CNN14 block ${5 - i}, 5 s`,
    sizes: halved(frames, mels, channels),
  })),
  cost(g) {
    const out = pool2dOutputSize(g);
    const results = out.height * out.width * g.channels;
    return {
      operations: results * g.windowHeight * g.windowWidth,
      bytes: 4 * (g.height * g.width * g.channels + results),
    };
  },
  operands,
  bind:
    (kernel, g, { x, y }) =>
    () =>
      kernel(g, x.data, x.offset, y.data, y.offset),
  exact(g, { x }) {
    const out = pool2dOutputSize(g);
    const y: number[] = [];
    for (let oy = 0; oy < out.height; oy++) {
      for (let ox = 0; ox < out.width; ox++) {
        for (let c = 0; c < g.channels; c++) {
          let mean = 0;
          for (let r = 0; r < g.windowHeight; r++) {
            for (let s = 0; s < g.windowWidth; s++) {
              const pixel = (oy * g.strideHeight + r) * g.width + ox * g.strideWidth + s;
              mean += x.data[x.offset + pixel * g.channels + c] / (g.windowHeight * g.windowWidth);
            }
          }
          y.push(mean);
        }
      }
    }
    return { y };
  },
  variants: averagePool2dVariants,
  gpu: averagePool2dGpu,
};
