/**
 * Any filter, directly: as many pixels at a time as the first-level cache takes, a group of four numbers of the window
 * copied out of the padded image, and with it all panels of dY.
 */
import type { KernelMemory } from '../../wasm/memory.js';
import { BAND_BYTES, groupSize } from '../direct.js';
import { type Conv2dGeometry, conv2dOutputSize } from '../reference.js';
import {
  GROUP,
  GROUP_BYTES,
  type GradientPaddingExports,
  type GradientTileExports,
  PANEL_BYTES,
  TILE,
} from './tile.js';

/** Pixels of a block, whose groups are copied together. */
const BLOCK_PIXELS = 240;
/** Pixels of a band, for which there is a table of places. */
const BAND_PIXELS = 4096;

/** Groups of four numbers of a window, and panels of eight output channels. */
export const groupsOf = (g: Conv2dGeometry): number =>
  Math.ceil((g.kernelHeight * g.kernelWidth * g.inChannels) / GROUP);
export const panelsOf = (g: Conv2dGeometry): number => Math.ceil((4 * g.outChannels) / PANEL_BYTES);

/** Floats of dWᵀ [groups][panels][4][8]. */
export const directLength = (g: Conv2dGeometry): number => groupsOf(g) * panelsOf(g) * TILE;

/** Adds the gradient of one image to dWᵀ. */
export function addDirect(
  exports: GradientPaddingExports & GradientTileExports,
  memory: KernelMemory,
  g: Conv2dGeometry,
  x: number,
  dy: number,
  dw: number,
): void {
  const out = conv2dOutputSize(g);
  const pixelBytes = 4 * g.inChannels;
  const padded = g.padHeight > 0 || g.padWidth > 0;
  const columns = g.width + 2 * g.padWidth;
  const rowBytes = columns * pixelBytes;
  const inRows = (rows: number): number => (rows - 1) * g.strideHeight + g.kernelHeight;
  const byBytes = padded
    ? Math.floor((BAND_BYTES / rowBytes - g.kernelHeight) / g.strideHeight) + 1
    : Infinity;
  const bandRows = groupSize(out.height, Math.min(byBytes, Math.floor(BAND_PIXELS / out.width)));
  const segment = g.kernelWidth * g.inChannels;
  const [groups, panels] = [groupsOf(g), panelsOf(g)];
  const last = g.kernelHeight * segment - 1;
  /** Bytes from a pixel to number `i` of its window; what the last group has too many repeats the last. */
  const byteOf = (i: number): number => {
    const number = Math.min(i, last);
    return Math.floor(number / segment) * rowBytes + 4 * (number % segment);
  };

  const mark = memory.mark();
  try {
    const band = padded ? memory.push(inRows(bandRows) * rowBytes) : 0;
    const places = memory.push(4 * bandRows * out.width);
    exports.gradientPlaces(
      bandRows,
      out.width,
      g.strideHeight * rowBytes,
      g.strideWidth * pixelBytes,
      places,
    );
    const group = memory.push(GROUP_BYTES * BLOCK_PIXELS);
    const panelBytes = PANEL_BYTES * BLOCK_PIXELS;
    const panelled = memory.push(panels * panelBytes);

    for (let row = 0; row < out.height; row += bandRows) {
      const rows = Math.min(bandRows, out.height - row);
      let from = x + row * g.strideHeight * rowBytes;
      if (padded) {
        from = band;
        exports.gradientPad(
          row * g.strideHeight - g.padHeight,
          inRows(rows),
          g.padWidth,
          columns,
          x,
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
        const cotangent = dy + 4 * (row * out.width + pixel) * g.outChannels;
        exports.gradientPanels(count, panels, cotangent, 4 * g.outChannels, panelled, panelBytes);
        for (let n = 0; n < groups; n++) {
          const at = [0, 1, 2, 3].map((i) => byteOf(n * GROUP + i));
          const [at0, at1, at2, at3] = at as [number, number, number, number];
          const whole = at3 - at0 === 12 ? 1 : 0;
          exports.gradientGroup(count, places + 4 * pixel, from, whole, at0, at1, at2, at3, group);
          const to = dw + 4 * n * panels * TILE;
          exports.gradientProducts(count, 1, group, 0, panels, panelled, panelBytes, to, 0);
        }
      }
    }
  } finally {
    memory.pop(mark);
  }
}

/** dWᵀ [groups][panels][4][8] to dW [outChannels, window]. */
export function turnDirect(g: Conv2dGeometry, sums: Float32Array, dw: Float32Array, dwOffset: number): void {
  const window = g.kernelHeight * g.kernelWidth * g.inChannels;
  const panels = panelsOf(g);
  const panel = PANEL_BYTES / 4;
  for (let o = 0; o < g.outChannels; o++) {
    const column = Math.floor(o / panel) * TILE + (o % panel);
    const to = dwOffset + o * window;
    for (let i = 0; i < window; i++) {
      dw[to + i] = sums[Math.floor(i / GROUP) * panels * TILE + column + (i % GROUP) * panel];
    }
  }
}
