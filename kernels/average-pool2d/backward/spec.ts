import type { KernelSpec } from '../../spec.js';
import { type Pool2dGeometry, pool2dOutputSize } from '../reference.js';
import type { AveragePool2dBackward } from './reference.js';
import { averagePool2dBackwardVariants } from './variants.js';

const operands = (g: Pool2dGeometry) => {
  const out = pool2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    dy: { role: 'input', rows: out.height * out.width, columns: g.channels, ...dense },
    dx: { role: 'output', rows: g.height * g.width, columns: g.channels, ...dense },
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

export const averagePool2dBackwardSpec: KernelSpec<
  Pool2dGeometry,
  ReturnType<typeof operands>,
  AveragePool2dBackward
> = {
  name: 'average-pool2d-backward',
  formula: 'dX[i,j,c] = Σ dY[y,x,c] / (h·w) over the windows (y,x) that (i,j) is in',
  shapes: 'dY [⌊(H−h)/sₕ⌋+1, ⌊(W−w)/s_w⌋+1, C], dX [H, W, C]; 0 in no window',
  source: 'derivative of average-pool2d',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [
    // Channels around vectors of 4 and turns of 8; odd rows and columns are left over
    ...[1, 2, 3, 4, 5, 7, 8, 9, 12, 13].map((channels) => halved(5, 4, channels)),
    ...[2, 3, 4, 7].map((size) => halved(size, 9 - size, 6)),
    { ...halved(6, 7, 5), windowHeight: 1 },
    { ...halved(6, 7, 5), windowWidth: 1, strideWidth: 1 },
    { ...halved(7, 8, 9), windowHeight: 3, windowWidth: 4, strideHeight: 1 },
    { ...halved(5, 5, 3), strideHeight: 1, strideWidth: 3 },
    { ...halved(3, 3, 2), windowHeight: 1, windowWidth: 1, strideHeight: 1, strideWidth: 1 },
  ],
  workloads: [
    [26, 5, 256],
    [107, 20, 64],
    [430, 80, 16],
  ].map(([frames, mels, channels]) => ({
    name: `CNN14 of small width, ${channels} channels`,
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
    (kernel, g, { dy, dx }) =>
    () =>
      kernel(g, dy.data, dy.offset, dx.data, dx.offset),
  exact(g, { dy }) {
    const out = pool2dOutputSize(g);
    const dx: number[] = [];
    for (let i = 0; i < g.height; i++) {
      for (let j = 0; j < g.width; j++) {
        for (let c = 0; c < g.channels; c++) {
          let sum = 0;
          for (let y = 0; y < out.height; y++) {
            for (let x = 0; x < out.width; x++) {
              const [r, s] = [i - y * g.strideHeight, j - x * g.strideWidth];
              if (r < 0 || r >= g.windowHeight || s < 0 || s >= g.windowWidth) continue;
              sum += dy.data[dy.offset + (y * out.width + x) * g.channels + c];
            }
          }
          dx.push(sum / (g.windowHeight * g.windowWidth));
        }
      }
    }
    return { dx };
  },
  variants: averagePool2dBackwardVariants,
};
