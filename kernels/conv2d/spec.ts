import type { KernelSpec, Operand } from '../spec.js';
import { conv2dGpu } from './gpu.js';
import {
  type Conv2dActivation,
  type Conv2dGeometry,
  type Conv2dKernel,
  conv2dOutputSize,
  denseFilters,
  type FilterSource,
} from './reference.js';
import { conv2dVariants } from './variants.js';

export interface Conv2dCase extends Conv2dGeometry {
  readonly activation?: Conv2dActivation;
  /** Filters stored [outChannels, inChannels, kernelHeight, kernelWidth], with a gain for each output channel. */
  readonly channelsFirst?: boolean;
}

const operands = (g: Conv2dCase) => {
  const out = conv2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    x: { role: 'input', rows: g.height * g.width, columns: g.inChannels, ...dense },
    weight: {
      role: 'input',
      rows: g.outChannels,
      columns: g.kernelHeight * g.kernelWidth * g.inChannels,
      ...dense,
    },
    gain: {
      role: 'input',
      type: 'float64',
      rows: g.channelsFirst ? 1 : 0,
      columns: g.outChannels,
      strided: false,
    },
    bias: { role: 'input', rows: 1, columns: g.outChannels, ...dense },
    y: { role: 'output', rows: out.height * out.width, columns: g.outChannels, ...dense },
  } as const;
};

const image = (height: number, width: number, inChannels: number, outChannels: number) => ({
  height,
  width,
  inChannels,
  outChannels,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 1,
  strideWidth: 1,
  padHeight: 1,
  padWidth: 1,
  padMode: 'zero' as const,
});
/** The fewest channels that Winograd takes. */
const winogradLeast = 8;
const halving = { strideHeight: 2, strideWidth: 2, padMode: 'reflect' as const };
const pointwise = { kernelHeight: 1, kernelWidth: 1, padHeight: 0, padWidth: 0 };

/** Where the filters of a case lie. */
function filtersOf(g: Conv2dCase, weight: Operand<Float32Array>, gain: Operand<Float64Array>): FilterSource {
  if (!g.channelsFirst) return denseFilters(g, weight.data, weight.offset);
  const channel = g.kernelHeight * g.kernelWidth;
  return {
    data: weight.data,
    offset: weight.offset,
    out: g.inChannels * channel,
    row: g.kernelWidth,
    column: 1,
    channel,
    gain: gain.data.subarray(gain.offset, gain.offset + g.outChannels),
  };
}

/** One element of an image whose padding is spelled out, for the float64 formula. */
export function paddedPixel(
  g: Conv2dGeometry,
  x: Operand,
  row: number,
  column: number,
  channel: number,
): number {
  let [y, xx] = [row - g.padHeight, column - g.padWidth];
  const inside = y >= 0 && y < g.height && xx >= 0 && xx < g.width;
  if (!inside && g.padMode === 'zero') return 0;
  // Mirror step by step rather than by the kernel's own arithmetic.
  while (y < 0 || y >= g.height) y = g.height === 1 ? 0 : y < 0 ? -y : 2 * (g.height - 1) - y;
  while (xx < 0 || xx >= g.width) xx = g.width === 1 ? 0 : xx < 0 ? -xx : 2 * (g.width - 1) - xx;
  return x.data[x.offset + (y * g.width + xx) * g.inChannels + channel];
}

export const conv2dSpec: KernelSpec<Conv2dCase, ReturnType<typeof operands>, Conv2dKernel> = {
  name: 'conv2d',
  formula: 'Y[y,x,o] = f(bias[o] + Σ_{r,s,c} X[y·sₕ + r − pₕ, x·s_w + s − p_w, c] W[o,r,s,c])',
  shapes: 'X [H, W, C], W [O, R, S, C], bias [O], Y [H′, W′, O]; padding of zeros or mirrored',
  source:
    'cross-correlation as in PyTorch Conv2d; front end of SpeechBrain ConvolutionFrontEnd, CNN14 blocks',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    ...[1, 2, 3, 4, 5, 9].map((outChannels) => image(5, 4, 3, outChannels)),
    ...[1, 2, 3, 6, 7].map((size) => ({ ...image(size, 8 - size, 2, 5), ...halving })),
    { ...image(6, 5, 7, 6), ...pointwise },
    { ...image(6, 5, 4, 9), activation: 'relu' },
    { ...image(9, 8, 2, 3), kernelHeight: 5, kernelWidth: 3, padHeight: 2, strideWidth: 2 },
    { ...image(4, 4, 1, 2), kernelHeight: 5, kernelWidth: 5, padHeight: 2, padWidth: 2, padMode: 'reflect' },
    // Tiles of 1 to 6 pixels, blocks of 60, panels of 8 channels, turns of 3 floats; several bands
    ...[1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 59, 61, 65].map((pixels) => ({
      ...image(1, pixels, 5, 8),
      ...pointwise,
    })),
    ...[7, 8, 15, 16, 17].map((outChannels) => image(4, 7, 4, outChannels)),
    { ...image(5, 6, 3, 8), kernelWidth: 4, padWidth: 0 },
    { ...image(9, 9, 2, 8), kernelHeight: 1, padHeight: 0, strideHeight: 2, strideWidth: 3 },
    { ...image(80, 60, 1, 4), activation: 'relu' },
    { ...image(2, 70, 300, 8), padMode: 'reflect' },
    // Winograd: tiles of 2 x 2 cut at both edges, several bands and blocks
    ...[1, 2, 3, 4, 5, 9].flatMap((height) =>
      [1, 2, 3, 7, 8].map((width) => image(height, width, winogradLeast, winogradLeast)),
    ),
    { ...image(5, 6, winogradLeast, winogradLeast), padMode: 'reflect', activation: 'relu' },
    { ...image(5, 6, winogradLeast + 4, winogradLeast + 8), padHeight: 0, padWidth: 2 },
    { ...image(40, 21, 48, winogradLeast), activation: 'relu' },
    // Filters as PyTorch stores them, times a gain
    { ...image(5, 4, 3, 9), kernelHeight: 2, channelsFirst: true, activation: 'relu' },
    { ...image(6, 6, winogradLeast + 4, winogradLeast), channelsFirst: true },
  ],
  example: image(4, 4, 1, 2),
  workloads: [
    { name: 'shipped model, first layer, 1 s', sizes: { ...image(101, 40, 1, 32), ...halving } },
    { name: 'shipped model, second layer, 1 s', sizes: { ...image(51, 20, 32, 16), ...halving } },
    { name: 'conformer small, first layer, 1 s', sizes: { ...image(101, 80, 1, 64), ...halving } },
    { name: 'CNN14 block 2, 1 s', sizes: image(43, 40, 64, 128) },
    { name: 'one channel in, 64 out, 64 x 500', sizes: image(64, 500, 1, 64) },
    { name: '64 channels, 64 x 100', sizes: image(64, 100, 64, 64) },
    { name: '128 channels to 256, 16 x 125', sizes: image(16, 125, 128, 256) },
    ...[
      [500, 64, 1, 64],
      [500, 64, 64, 64],
      [250, 32, 64, 128],
      [250, 32, 128, 128],
      [125, 16, 128, 256],
      [125, 16, 256, 256],
    ].map(([frames, mels, from, to], i) => ({
      name: `CNN14 block ${1 + (i >> 1)}, layer ${1 + (i % 2)}, 5 s`,
      sizes: { ...image(frames, mels, from, to), activation: 'relu' as const },
    })),
  ],
  cost: (g) => {
    const out = conv2dOutputSize(g);
    const filter = g.kernelHeight * g.kernelWidth * g.inChannels;
    const outputs = out.height * out.width * g.outChannels;
    return {
      operations: 2 * outputs * filter,
      bytes: 4 * (g.height * g.width * g.inChannels + g.outChannels * filter + outputs),
    };
  },
  operands,
  bind(kernel, g, { x, weight, gain, bias, y }) {
    const packed = kernel.pack(g, filtersOf(g, weight, gain), 'kept');
    const { activation = 'none' } = g;
    return () =>
      kernel.convolve(g, x.data, x.offset, packed, bias.data, bias.offset, activation, y.data, y.offset);
  },
  exact(g, { x, weight, gain, bias }) {
    const out = conv2dOutputSize(g);
    const y: number[] = [];
    for (let oy = 0; oy < out.height; oy++) {
      for (let ox = 0; ox < out.width; ox++) {
        for (let o = 0; o < g.outChannels; o++) {
          let sum = bias.data[bias.offset + o];
          for (let r = 0; r < g.kernelHeight; r++) {
            for (let s = 0; s < g.kernelWidth; s++) {
              for (let c = 0; c < g.inChannels; c++) {
                const tap = g.channelsFirst
                  ? (c * g.kernelHeight + r) * g.kernelWidth + s
                  : (r * g.kernelWidth + s) * g.inChannels + c;
                const w =
                  weight.data[weight.offset + o * g.kernelHeight * g.kernelWidth * g.inChannels + tap] *
                  (g.channelsFirst ? gain.data[gain.offset + o] : 1);
                sum += paddedPixel(g, x, oy * g.strideHeight + r, ox * g.strideWidth + s, c) * w;
              }
            }
          }
          y.push(g.activation === 'relu' ? Math.max(sum, 0) : sum);
        }
      }
    }
    return { y };
  },
  variants: conv2dVariants,
  gpu: conv2dGpu,
};
