/**
 * Convolution with WebAssembly SIMD: which algorithm runs.
 *
 *   direct     any filter: register tiles over windows of the image itself
 *   Winograd   3 x 3 filters of stride 1 with 8 channels or more: 2.25 times fewer multiplications
 */
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { SimdKernel } from '../wasm/runtime.js';
import { convolveRows, FLOOR_BITS, type Work } from './direct.js';
import { definePacking, directLength, type PackExports, packFilters, winogradLength } from './pack.js';
import { definePadding, type PaddingExports } from './padding.js';
import { type Conv2dGeometry, type Conv2dKernel, conv2dOutputSize } from './reference.js';
import { defineDirect, PANEL, PANEL_BYTES, type TileExports } from './tile.js';
import { convolveWinograd, suitsWinograd, worthWinograd } from './winograd.js';
import { defineWinograd, type WinogradExports } from './winograd-functions.js';

type Conv2dExports = PackExports & PaddingExports & TileExports & WinogradExports;

export const conv2dSimd: SimdKernel<Conv2dKernel, Conv2dExports> = {
  name: 'conv2d',
  summary: 'tiles of 5 pixels x 8 channels without im2col; Winograd F(2x2, 3x3) for many channels',
  define: (module, arithmetic) => {
    definePadding(module);
    definePacking(module);
    defineDirect(module, arithmetic);
    defineWinograd(module, arithmetic);
  },
  threaded: true,
  bind: (exports, memory, threads) => ({
    pack(g, source, lifetime) {
      const direct = directLength(g);
      const length = direct + (suitsWinograd(g) ? winogradLength(g) : 0);
      const data = lifetime === 'kept' ? memory.keepFloats(length) : memory.pushFloats(length);
      const transformed = suitsWinograd(g) ? data.byteOffset + 4 * direct : null;
      packFilters(exports, memory, g, source, data.byteOffset, transformed);
      return { data, offset: 0 };
    },
    convolve(geometry, x, xOffset, { data }, bias, biasOffset, activation, y, yOffset) {
      const g = unfolded(geometry);
      const out = conv2dOutputSize(g);
      const [inFloats, outFloats] = [
        g.height * g.width * g.inChannels,
        out.height * out.width * g.outChannels,
      ];
      const filter = g.kernelHeight * g.kernelWidth * g.inChannels;
      const mark = memory.mark();
      try {
        const to = placeOutput(memory, y, yOffset, 1, outFloats, outFloats);
        const work: Work = {
          g,
          out,
          x: placeInput(memory, x, xOffset, 1, inFloats, inFloats).pointer,
          filters: data.byteOffset,
          winogradFilters: data.byteOffset + 4 * directLength(g),
          bias:
            bias === null
              ? memory.zeros
              : placeInput(memory, bias, biasOffset, 1, g.outChannels, g.outChannels).pointer,
          biasBytes: bias === null ? 0 : PANEL_BYTES,
          floorBits: FLOOR_BITS[activation],
          y: to.pointer,
          threads,
          parts: Math.min(threads.count(2 * outFloats * filter), Math.ceil(g.outChannels / PANEL)),
        };
        if (worthWinograd(g)) convolveWinograd(exports, memory, work);
        else convolveRows(exports, memory, work, 0, out.height);
        returnOutput(memory, to, y, yOffset, 1, outFloats, outFloats);
      } finally {
        memory.pop(mark);
      }
    },
  }),
};

/** A 1 x 1 filter sees every pixel for itself: an image of one column, so that no row ends early. */
function unfolded(g: Conv2dGeometry): Conv2dGeometry {
  const single = g.kernelHeight * g.kernelWidth * g.strideHeight * g.strideWidth === 1;
  if (!single || g.padHeight > 0 || g.padWidth > 0) return g;
  return { ...g, height: g.height * g.width, width: 1 };
}
