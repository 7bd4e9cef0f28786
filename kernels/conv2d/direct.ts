/**
 * Direct convolution, in pieces that stay in the caches: a band is as many padded rows of the image as the
 * second-level cache takes, a block as many pixels as the first-level cache takes. A block goes through all panels
 * of the filters before the next one begins.
 */
import type { KernelMemory } from '../wasm/memory.js';
import type { Threads } from '../wasm/runtime.js';
import type { PaddingExports } from './padding.js';
import type { Conv2dGeometry } from './reference.js';
import { BLOCK_PIXELS, PANEL, PANEL_BYTES, type TileExports } from './tile.js';

/** Bytes of a band: half of a small second-level cache. */
export const BAND_BYTES = 1 << 17;
/** Pixels of a band, for which there is a table of places. */
const BAND_PIXELS = 4096;

/** One convolution with everything in the kernels' memory. */
export interface Work {
  readonly g: Conv2dGeometry;
  readonly out: { readonly height: number; readonly width: number };
  readonly x: number;
  /** Panels [ceil(outChannels / 8)][filter][8]. */
  readonly filters: number;
  /** Those of Winograd, where there are any. */
  readonly winogradFilters: number;
  readonly bias: number;
  /** Bytes from the bias of one panel to that of the next; 0 where there is none. */
  readonly biasBytes: number;
  /** What results are raised to, as the bits of a float: 0 for ReLU, otherwise those of -Infinity. */
  readonly floorBits: number;
  readonly y: number;
  /** Calls that a block is divided into, each for a run of panels in a thread of its own. */
  readonly threads: Threads;
  readonly parts: number;
}

export const FLOOR_BITS = { none: 0xff800000 | 0, relu: 0 } as const;

/** Runs a block as `work.parts` calls: `call` gives the arguments of the part that begins with channel `first`. */
export function runParts(
  { g, threads, parts }: Work,
  name: string,
  here: (...args: number[]) => void,
  call: (first: number, channels: number, part: number) => number[],
): void {
  const channels = PANEL * Math.ceil(Math.ceil(g.outChannels / PANEL) / parts);
  const calls: number[][] = [];
  for (let first = 0; first < g.outChannels; first += channels) {
    calls.push(call(first, Math.min(channels, g.outChannels - first), calls.length));
  }
  threads.run(name, calls, here);
}

/** `count` things in as few groups of at most `most` as possible, all of about the same size. */
export const groupSize = (count: number, most: number): number =>
  Math.ceil(count / Math.ceil(count / Math.max(1, most)));

/** Rows [first, last) of Y, directly. */
export function convolveRows(
  exports: PaddingExports & TileExports,
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
  const yPixelBytes = 4 * g.outChannels;

  const byBytes = padded
    ? Math.floor((BAND_BYTES / rowBytes - g.kernelHeight) / g.strideHeight) + 1
    : Infinity;
  const bandRows = groupSize(last - first, Math.min(byBytes, Math.floor(BAND_PIXELS / out.width)));
  const inRows = (rows: number): number => (rows - 1) * g.strideHeight + g.kernelHeight;

  const mark = memory.mark();
  try {
    const band = padded ? memory.push(inRows(bandRows) * rowBytes) : 0;
    const places = memory.push(4 * bandRows * out.width);
    exports.conv2dPlaces(bandRows, out.width, g.strideHeight * rowBytes, g.strideWidth * pixelBytes, places);
    const spareBytes = BLOCK_PIXELS * PANEL_BYTES;
    const spares = memory.push(work.parts * spareBytes);
    const panelBytes = g.kernelHeight * segmentFloats * PANEL_BYTES;

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
        runParts(work, 'conv2dBlock', exports.conv2dBlock, (first, channels, part) => [
          count,
          channels,
          places + 4 * pixel,
          from,
          g.kernelHeight,
          segmentFloats,
          rowBytes - 4 * segmentFloats,
          work.filters + (first / PANEL) * panelBytes,
          work.bias + (first / PANEL) * work.biasBytes,
          work.biasBytes,
          work.floorBits,
          work.y + (row * out.width + pixel) * yPixelBytes + 4 * first,
          yPixelBytes,
          spares + part * spareBytes,
          0,
        ]);
      }
    }
  } finally {
    memory.pop(mark);
  }
}
