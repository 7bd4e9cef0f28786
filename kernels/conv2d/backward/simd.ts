/**
 * The gradient of filters with WebAssembly SIMD: which algorithm runs.
 *
 *   direct     any filter: a product of windows and dY over all pixels, without a matrix of windows
 *   Winograd   3 x 3 filters of stride 1 with 8 channels or more: 2.25 times fewer multiplications
 */
import { placeInput, placeOutput, returnOutput } from '../../wasm/operands.js';
import type { SimdKernel } from '../../wasm/runtime.js';
import { winogradLength } from '../pack.js';
import { definePadding } from '../padding.js';
import { conv2dOutputSize } from '../reference.js';
import { addDirect, directLength, turnDirect } from './direct.js';
import type { Conv2dBackward } from './reference.js';
import {
  defineGradientTiles,
  type GradientPaddingExports,
  type GradientTileExports,
  PANEL_BYTES,
} from './tile.js';
import { addWinograd, worthWinogradGradient } from './winograd.js';
import { defineGradientTransforms, type WinogradGradientExports } from './winograd-functions.js';

type Conv2dBackwardExports = GradientPaddingExports & GradientTileExports & WinogradGradientExports;

export const conv2dBackwardSimd: SimdKernel<Conv2dBackward, Conv2dBackwardExports> = {
  name: 'conv2d-backward',
  summary: 'tiles of 4 numbers of a window x 8 channels over all pixels; Winograd for 3 x 3 of many channels',
  define: (module, arithmetic) => {
    definePadding(module, 'gradient');
    defineGradientTiles(module, arithmetic);
    defineGradientTransforms(module);
  },
  bind: (exports, memory) => (geometry, heights, x, xOffset, dy, dyOffset, dw, dwOffset) => {
    const images = heights.map((height) => ({ ...geometry, height }));
    const outs = images.map((g) => {
      const out = conv2dOutputSize(g);
      return out.height * out.width * g.outChannels;
    });
    const ins = images.map((g) => g.height * g.width * g.inChannels);
    const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);
    const mark = memory.mark();
    try {
      let from = placeInput(memory, x, xOffset, 1, total(ins), total(ins)).pointer;
      let cotangent = placeInput(memory, dy, dyOffset, 1, total(outs), total(outs)).pointer;
      if (worthWinogradGradient(images)) {
        const sums = memory.pushFloats(winogradLength(geometry)).fill(0);
        addWinograd(exports, memory, images, from, cotangent, sums.byteOffset);
        const { inChannels, outChannels } = geometry;
        const filters = 9 * inChannels * outChannels;
        const to = placeOutput(memory, dw, dwOffset, 1, filters, filters);
        const panels = (4 * outChannels) / PANEL_BYTES;
        const pointBytes = 4 * inChannels * outChannels;
        exports.gradientFilters(inChannels, panels, sums.byteOffset, pointBytes, to.pointer);
        returnOutput(memory, to, dw, dwOffset, 1, filters, filters);
        return;
      }
      const sums = memory.pushFloats(directLength(geometry)).fill(0);
      images.forEach((g, n) => {
        addDirect(exports, memory, g, from, cotangent, sums.byteOffset);
        from += 4 * ins[n];
        cotangent += 4 * outs[n];
      });
      turnDirect(geometry, sums, dw, dwOffset);
    } finally {
      memory.pop(mark);
    }
  },
};
