import type { KernelSpec } from '../../spec.js';
import { type DepthwiseConv2dGeometry, depthwiseConv2dOutputSize } from '../reference.js';
import type { DepthwiseConv2dBackward } from './reference.js';
import { depthwiseConv2dBackwardVariants } from './variants.js';

const operands = (g: DepthwiseConv2dGeometry) => {
  const out = depthwiseConv2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  const image = { rows: g.height * g.width, columns: g.channels, ...dense };
  const filters = { rows: g.channels, columns: g.kernelHeight * g.kernelWidth, ...dense };
  return {
    x: { role: 'input', ...image },
    weight: { role: 'input', ...filters },
    dy: { role: 'input', rows: out.height * out.width, columns: g.channels, ...dense },
    dx: { role: 'output', ...image },
    dw: { role: 'output', ...filters },
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
const halving = { strideHeight: 2, strideWidth: 2 };
const filter = (kernelHeight: number, kernelWidth: number) => ({ kernelHeight, kernelWidth });

/** Each place of an output, each tap, and the place of X that both meet. */
function* meetings(g: DepthwiseConv2dGeometry): Generator<{ x: number; dy: number; tap: number }> {
  const out = depthwiseConv2dOutputSize(g);
  for (let v = 0; v < out.height; v++) {
    for (let u = 0; u < out.width; u++) {
      for (let r = 0; r < g.kernelHeight; r++) {
        for (let s = 0; s < g.kernelWidth; s++) {
          const row = v * g.strideHeight + r - g.padTop;
          const column = u * g.strideWidth + s - g.padLeft;
          if (row < 0 || row >= g.height || column < 0 || column >= g.width) continue;
          yield { x: row * g.width + column, dy: v * out.width + u, tap: r * g.kernelWidth + s };
        }
      }
    }
  }
}

export const depthwiseConv2dBackwardSpec: KernelSpec<
  DepthwiseConv2dGeometry,
  ReturnType<typeof operands>,
  DepthwiseConv2dBackward
> = {
  name: 'depthwise-conv2d-backward',
  formula:
    'dX[y·sₕ + r − pₕ, x·s_w + s − p_w, c] += dY[y,x,c] W[c,r,s], dW[c,r,s] = Σ_{y,x} dY[y,x,c] X[y·sₕ + r − pₕ, x·s_w + s − p_w, c]',
  shapes:
    'X and dX [H, W, C], W and dW [C, R, S], dY [H′, W′, C]; zeros outside X, padding on each side by itself',
  source: 'derivative of depthwise-conv2d by its image and its filters',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    // Channels around groups of 4, filters around runs of 3, 2 and 1 taps
    ...[1, 2, 3, 4, 5, 8, 17].map((channels) => image(5, 3, channels)),
    ...[1, 2, 3, 4, 5, 6, 7].map((wide) => ({ ...image(6, 9, 3), ...filter(2, wide), ...pads(1, 0, 3, 3) })),
    ...[1, 2, 5].map((width) => image(6, width, 6)),
    { ...image(2, 2, 3), ...filter(7, 5), ...pads(3, 3, 2, 2) },
    { ...image(4, 5, 8), ...filter(1, 1), ...pads(0, 0, 0, 0) },
    { ...image(11, 9, 4), ...pads(0, 0, 0, 0) },
    // Padding of one side, of more than a filter, and strides that leave rows and columns unseen
    { ...image(8, 6, 4), ...pads(0, 1, 1, 0) },
    { ...image(3, 3, 2), ...pads(4, 5, 6, 3) },
    ...[5, 6, 7, 8].flatMap((size) => [
      { ...image(size, 13 - size, 5), ...halving, ...pads(0, 1, 0, 1) },
      { ...image(size, 13 - size, 5), ...halving, ...pads(0, 0, 1, 0) },
    ]),
    { ...image(20, 7, 3), ...filter(5, 3), strideHeight: 3, strideWidth: 2, ...pads(2, 1, 1, 1) },
    { ...image(21, 9, 3), ...filter(2, 1), strideHeight: 5, strideWidth: 3, ...pads(1, 0, 0, 0) },
  ],
  example: image(3, 3, 2),
  workloads: [
    { name: 'keyword conformer, halving, 1 s', sizes: { ...image(51, 20, 64), ...halving } },
    { name: 'keyword conformer, 1 s', sizes: image(26, 10, 64) },
    { name: 'MobileNet, 96 x 64', sizes: image(96, 64, 128) },
  ],
  cost: (g) => {
    const out = depthwiseConv2dOutputSize(g);
    const outputs = out.height * out.width * g.channels;
    const taps = g.kernelHeight * g.kernelWidth;
    return {
      operations: 4 * outputs * taps,
      bytes: 4 * (2 * g.height * g.width * g.channels + 2 * g.channels * taps + outputs),
    };
  },
  operands,
  bind:
    (kernel, g, { x, weight, dy, dx, dw }) =>
    () =>
      kernel(
        g,
        x.data,
        x.offset,
        weight.data,
        weight.offset,
        dy.data,
        dy.offset,
        dx.data,
        dx.offset,
        dw.data,
        dw.offset,
      ),
  exact(g, { x, weight, dy }) {
    const { channels } = g;
    const taps = g.kernelHeight * g.kernelWidth;
    const dx = new Float64Array(g.height * g.width * channels);
    const dw = new Float64Array(channels * taps);
    for (const at of meetings(g)) {
      for (let c = 0; c < channels; c++) {
        const cotangent = dy.data[dy.offset + at.dy * channels + c];
        dx[at.x * channels + c] += cotangent * weight.data[weight.offset + c * taps + at.tap];
        dw[c * taps + at.tap] += cotangent * x.data[x.offset + at.x * channels + c];
      }
    }
    return { dx, dw };
  },
  variants: depthwiseConv2dBackwardVariants,
};
