/**
 * Winograd's F(2x2, 3x3): four output pixels of a 3 x 3 filter with 16 multiplications rather than 36.
 *
 *   Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
 *
 *        1   0   0            1  0 -1  0
 *   G =  ½   ½   ½      Bᵀ =  0  1  1  0      Aᵀ =  1  1  1  0
 *        ½  -½   ½            0 -1  1  0            0  1 -1 -1
 *        0   0   1            0  1  0 -1
 *
 * d is 4 x 4 pixels of the image, g a filter, Y 2 x 2 pixels; ⊙ is element by element and becomes, summed over the
 * input channels, 16 matrix products [tiles, inChannels] · [inChannels, outChannels]. A block of tiles is
 * transformed, and then each panel of 8 output channels goes through all 16 products and back to pixels while
 * its 16 sums lie in the first-level cache.
 *
 * Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015, section 4.1.
 */
import type { KernelMemory } from '../wasm/memory.js';
import { BAND_BYTES, convolveRows, groupSize, runParts, type Work } from './direct.js';
import type { PaddingExports } from './padding.js';
import { type Conv2dGeometry, conv2dOutputSize } from './reference.js';
import { BLOCK_PIXELS, PANEL, PANEL_BYTES, type TileExports } from './tile.js';
import { POINTS, WINOGRAD_SUMS_BYTES, type WinogradExports } from './winograd-functions.js';

/** inChannels · outChannels at most: 64 bytes for each make 32 MiB, and reading more costs more than it saves. */
const MOST_WINOGRAD_FILTERS = 1 << 19;

/** Whether filters are packed for Winograd as well. */
export function suitsWinograd(g: Conv2dGeometry): boolean {
  const { inChannels, outChannels } = g;
  return (
    g.kernelHeight === 3 &&
    g.kernelWidth === 3 &&
    g.strideHeight === 1 &&
    g.strideWidth === 1 &&
    inChannels % 4 === 0 &&
    inChannels >= 8 &&
    outChannels % PANEL === 0 &&
    inChannels * outChannels <= MOST_WINOGRAD_FILTERS
  );
}

/**
 * Whether an image of this size is convolved by Winograd: where it saves a third of the multiplications at least.
 * 16 for each tile of 2 x 2 stand against 9 for each pixel, and in small images many tiles are cut.
 */
export function worthWinograd(g: Conv2dGeometry): boolean {
  const { height, width } = conv2dOutputSize(g);
  const tiles = Math.ceil(height / 2) * Math.ceil(width / 2);
  return suitsWinograd(g) && tiles >= 4 && 16 * tiles <= (2 / 3) * 9 * height * width;
}

/** Bytes of the transformed tiles of a block. */
const BLOCK_BYTES = 1 << 18;

/** All of Y by Winograd, but for bands that hold NaN or infinities, which its sums would spread. */
export function convolveWinograd(
  exports: PaddingExports & TileExports & WinogradExports,
  memory: KernelMemory,
  work: Work,
): void {
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
    const m = memory.push(work.parts * WINOGRAD_SUMS_BYTES);
    const spares = memory.push(work.parts * PANEL_BYTES);
    const panelBytes = POINTS * g.inChannels * PANEL_BYTES;

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
        exports.conv2dWinogradInput(count, places + 4 * tile, band, rowBytes, pixelBytes, v, pointBytes);
        runParts(work, 'conv2dWinogradBlock', exports.conv2dWinogradBlock, (first, channels, part) => [
          count,
          channels,
          rowPlaces,
          v,
          pointBytes,
          g.inChannels,
          work.winogradFilters + (first / PANEL) * panelBytes,
          m + part * WINOGRAD_SUMS_BYTES,
          work.bias + (first / PANEL) * work.biasBytes,
          work.biasBytes,
          work.floorBits,
          work.y + 4 * g.outChannels * (2 * tileRow * out.width + 2 * tileColumn) + 4 * first,
          tileColumn,
          tileColumns,
          out.width,
          out.height - 2 * tileRow,
          4 * g.outChannels,
          spares + part * PANEL_BYTES,
          0,
        ]);
      }
    }
  } finally {
    memory.pop(mark);
  }
}
