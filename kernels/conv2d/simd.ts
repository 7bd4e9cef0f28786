/**
 * Convolution with WebAssembly SIMD: which algorithm runs, and in which pieces.
 *
 *   direct     any filter: bands of padded rows, blocks of pixels, panels of 8 output channels, register tiles
 *   Winograd   3 x 3 filters with many channels: fewer multiplications
 *
 * A band is as many rows as the second-level cache takes; a block is as many pixels as the first-level cache
 * takes, and goes through all panels of the filters before the next one begins.
 */
import { type KernelMemory } from '../wasm/memory.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { SimdKernel } from '../wasm/runtime.js';
import { definePadding, type PaddingExports } from './padding.js';
import { type Conv2dGeometry, type Conv2dKernel, conv2dOutputSize } from './reference.js';
import { BLOCK_PIXELS, defineTiles, PANEL, PANEL_BYTES, type TileExports } from './tile.js';
import { defineWinograd, transformFilters, type WinogradExports, winogradLength } from './winograd.js';

type Conv2dExports = PaddingExports & TileExports & WinogradExports;

/** Bytes of a band: half of a small second-level cache. */
const BAND_BYTES = 1 << 18;
/** Places of a band. */
const BAND_PIXELS = 4096;
/** Windows with rows shorter than this are copied next to each other: their loops would be too short. */
const SHORT_SEGMENT = 12;

/** One convolution with everything in the kernels' memory. */
interface Work {
  readonly g: Conv2dGeometry;
  readonly out: { readonly height: number; readonly width: number };
  readonly x: number;
  readonly filters: number;
  readonly winogradFilters: number;
  readonly bias: number;
  /** Bytes from the bias of one panel to that of the next; 0 where there is none. */
  readonly biasBytes: number;
  readonly floor: number;
  readonly y: number;
}

export const conv2dSimd: SimdKernel<Conv2dKernel, Conv2dExports> = {
  name: 'conv2d',
  summary: 'tiles of 5 pixels x 8 channels without im2col; Winograd F(2x2, 3x3) for many channels',
  define: (module, arithmetic) => {
    definePadding(module);
    defineWinograd(module, defineTiles(module, arithmetic));
  },
  bind: (exports, memory) => ({
    pack(g, weight, offset, lifetime) {
      const direct = directLength(g);
      const length = direct + (suitsWinograd(g) ? winogradLength(g) : 0);
      const data = lifetime === 'kept' ? memory.keepFloats(length) : memory.pushFloats(length);
      packPanels(g, weight, offset, data);
      if (suitsWinograd(g)) transformFilters(g, weight, offset, data.subarray(direct));
      return { data, offset: 0 };
    },
    convolve(geometry, x, xOffset, { data }, bias, biasOffset, activation, y, yOffset) {
      const g = unfolded(geometry);
      const out = conv2dOutputSize(g);
      const [inFloats, outFloats] = [g.height * g.width * g.inChannels, out.height * out.width * g.outChannels];
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
          floor: activation === 'relu' ? 0 : -Infinity,
          y: to.pointer,
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

/** Whether filters are packed for Winograd as well. */
function suitsWinograd(g: Conv2dGeometry): boolean {
  const { inChannels, outChannels } = g;
  return (
    g.kernelHeight === 3 &&
    g.kernelWidth === 3 &&
    g.strideHeight === 1 &&
    g.strideWidth === 1 &&
    inChannels % 4 === 0 &&
    outChannels % PANEL === 0 &&
    Math.min(inChannels, outChannels) >= 16
  );
}

/** Whether an image of this size is convolved by Winograd. */
function worthWinograd(g: Conv2dGeometry): boolean {
  return suitsWinograd(g);
}

/** A 1 x 1 filter sees every pixel for itself: an image of one column, so that no row ends early. */
function unfolded(g: Conv2dGeometry): Conv2dGeometry {
  const single = g.kernelHeight * g.kernelWidth * g.strideHeight * g.strideWidth === 1;
  if (!single || g.padHeight > 0 || g.padWidth > 0) return g;
  return { ...g, height: g.height * g.width, width: 1 };
}

const directLength = ({ outChannels, kernelHeight, kernelWidth, inChannels }: Conv2dGeometry): number =>
  Math.ceil(outChannels / PANEL) * PANEL * kernelHeight * kernelWidth * inChannels;

/** W [outChannels, filter] to panels [ceil(outChannels / 8)][filter][8], with zeros for channels that are not. */
function packPanels(g: Conv2dGeometry, weight: Float32Array, offset: number, to: Float32Array): void {
  const filter = g.kernelHeight * g.kernelWidth * g.inChannels;
  for (let first = 0; first < g.outChannels; first += PANEL) {
    for (let lane = 0; lane < PANEL; lane++) {
      const from = offset + (first + lane) * filter;
      const isThere = first + lane < g.outChannels;
      for (let k = 0, at = first * filter + lane; k < filter; k++, at += PANEL) {
        to[at] = isThere ? weight[from + k] : 0;
      }
    }
  }
}

/** `count` things in as few groups of at most `most` as possible, all of about the same size. */
const groupSize = (count: number, most: number): number =>
  Math.ceil(count / Math.ceil(count / Math.max(1, most)));

/** Rows [first, last) of Y, directly. */
function convolveRows(
  exports: Conv2dExports,
  memory: KernelMemory,
  work: Work,
  first: number,
  last: number,
): void {
  const { g, out } = work;
  const pixelBytes = 4 * g.inChannels;
  const padded = g.padHeight > 0 || g.padWidth > 0;
  const columns = g.width + 2 * g.padWidth;
  const rowBytes = columns * pixelBytes;
  const segmentFloats = g.kernelWidth * g.inChannels;
  const filter = g.kernelHeight * segmentFloats;
  const yPixelBytes = 4 * g.outChannels;

  const byBytes = padded ? Math.floor((BAND_BYTES / rowBytes - g.kernelHeight) / g.strideHeight) + 1 : Infinity;
  const bandRows = groupSize(last - first, Math.min(byBytes, Math.floor(BAND_PIXELS / out.width)));
  const inRows = (rows: number): number => (rows - 1) * g.strideHeight + g.kernelHeight;

  const mark = memory.mark();
  try {
    const band = padded ? memory.push(inRows(bandRows) * rowBytes + 16) : 0;
    const places = memory.push(4 * bandRows * out.width);
    exports.conv2dPlaces(
      bandRows,
      out.width,
      g.strideHeight * rowBytes,
      g.strideWidth * pixelBytes,
      places,
    );
    const copies = g.kernelHeight > 1 && segmentFloats < SHORT_SEGMENT;
    const patches = copies ? memory.push(4 * BLOCK_PIXELS * filter + 16) : 0;
    const patchPlaces = copies ? memory.push(4 * BLOCK_PIXELS) : 0;
    if (copies) exports.conv2dPlaces(1, BLOCK_PIXELS, 0, 4 * filter, patchPlaces);
    const spare = memory.push(BLOCK_PIXELS * PANEL_BYTES);

    for (let row = first; row < last; row += bandRows) {
      const rows = Math.min(bandRows, last - row);
      let from = work.x + row * g.strideHeight * rowBytes;
      if (padded) {
        from = band;
        exports.conv2dPad(
          row * g.strideHeight - g.padHeight,
          inRows(rows),
          g.padWidth,
          columns,
          work.x,
          g.height,
          g.width,
          pixelBytes,
          g.padMode === 'reflect' ? 1 : 0,
          band,
        );
      }
      const pixels = rows * out.width;
      const block = groupSize(pixels, BLOCK_PIXELS);
      for (let pixel = 0; pixel < pixels; pixel += block) {
        const count = Math.min(block, pixels - pixel);
        const at = places + 4 * pixel;
        if (copies) {
          exports.conv2dPatches(count, at, from, rowBytes, g.kernelHeight, 4 * segmentFloats, patches);
        }
        exports.conv2dBlock(
          count,
          g.outChannels,
          copies ? patchPlaces : at,
          copies ? patches : from,
          copies ? 1 : g.kernelHeight,
          copies ? filter : segmentFloats,
          copies ? 0 : rowBytes - 4 * segmentFloats,
          work.filters,
          work.bias,
          work.biasBytes,
          work.floor,
          work.y + (row * out.width + pixel) * yPixelBytes,
          yPixelBytes,
          spare,
          0,
        );
      }
    }
  } finally {
    memory.pop(mark);
  }
}

/** Bytes of the transformed tiles of a block. */
const BLOCK_BYTES = 1 << 18;

/** All of Y by Winograd, but for bands that hold NaN or infinities, which its sums would spread. */
function convolveWinograd(exports: Conv2dExports, memory: KernelMemory, work: Work): void {
  const { g, out } = work;
  const pixelBytes = 4 * g.inChannels;
  const tileColumns = Math.ceil(out.width / 2);
  const tileRows = Math.ceil(out.height / 2);
  // A tile of 2 x 2 sees 4 x 4, so an odd last row or column of tiles looks one pixel farther.
  const columns = 2 * tileColumns + 2;
  const rowBytes = columns * pixelBytes;
  const bandRows = groupSize(tileRows, Math.floor((BAND_BYTES / rowBytes - 2) / 2));
  const most = Math.min(BLOCK_PIXELS, Math.max(8, Math.floor(BLOCK_BYTES / (16 * pixelBytes))));
  // One cache line more, lest the 16 begin at the same place of the cache.
  const pointBytes = most * pixelBytes + 64;

  const mark = memory.mark();
  try {
    const band = memory.push((2 * bandRows + 2) * rowBytes);
    const places = memory.push(4 * bandRows * tileColumns);
    exports.conv2dPlaces(bandRows, tileColumns, 2 * rowBytes, 2 * pixelBytes, places);
    const v = memory.push(16 * pointBytes);
    const rowPlaces = memory.push(4 * most);
    exports.conv2dPlaces(1, most, 0, pixelBytes, rowPlaces);
    const m = memory.push(16 * most * PANEL_BYTES);
    const spare = memory.push(PANEL_BYTES);

    for (let row = 0; row < tileRows; row += bandRows) {
      const rows = Math.min(bandRows, tileRows - row);
      exports.conv2dPad(
        2 * row - g.padHeight,
        2 * rows + 2,
        g.padWidth,
        columns,
        work.x,
        g.height,
        g.width,
        pixelBytes,
        g.padMode === 'reflect' ? 1 : 0,
        band,
      );
      if (exports.conv2dFinite(band, (2 * rows + 2) * rowBytes) === 0) {
        convolveRows(exports, memory, work, 2 * row, Math.min(2 * (row + rows), out.height));
        continue;
      }
      const tiles = rows * tileColumns;
      const block = groupSize(tiles, most);
      for (let tile = 0; tile < tiles; tile += block) {
        const count = Math.min(block, tiles - tile);
        const tileRow = row + Math.floor(tile / tileColumns);
        const tileColumn = tile % tileColumns;
        exports.conv2dWinogradInput(count, places + 4 * tile, band, rowBytes, pixelBytes, v, pointBytes, 0);
        exports.conv2dWinogradBlock(
          count,
          g.outChannels,
          rowPlaces,
          v,
          pointBytes,
          g.inChannels,
          work.winogradFilters,
          m,
          work.bias,
          work.biasBytes,
          work.floor,
          work.y + 4 * g.outChannels * (2 * tileRow * out.width + 2 * tileColumn),
          tileColumn,
          tileColumns,
          out.width,
          out.height - 2 * tileRow,
          4 * g.outChannels,
          spare,
          0,
        );
      }
    }
  } finally {
    memory.pop(mark);
  }
}
