/**
 * The gradient of 3 x 3 filters by Winograd's F(2x2, 3x3), turned round. The convolution is
 * Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A for each tile of 2 x 2 pixels (../winograd.ts has the matrices), linear in g, so
 *
 *   dg = Gᵀ [ Σ over tiles (A dY Aᵀ) ⊙ (Bᵀ d B) ] G
 *
 * which, over all pairs of channels, is 16 matrix products [inChannels, tiles] · [tiles, outChannels]: 16 multiplications
 * for a tile rather than 36. Tiles of all images go into one block after another, so small images fill blocks too; the
 * sums stay transformed until all are in.
 */
import type { KernelMemory } from '../../wasm/memory.js';
import { BAND_BYTES, groupSize } from '../direct.js';
import { type Conv2dGeometry, conv2dOutputSize } from '../reference.js';
import { suitsWinograd } from '../winograd.js';
import { POINTS } from '../winograd-functions.js';
import {
  GROUP,
  GROUP_BYTES,
  type GradientPaddingExports,
  type GradientTileExports,
  PANEL_BYTES,
  TILE,
} from './tile.js';
import type { WinogradGradientExports } from './winograd-functions.js';

/** Tiles of a block. */
const BLOCK_TILES = 60;
const PANEL = PANEL_BYTES / 4;

const tilesOf = (g: Conv2dGeometry): { readonly rows: number; readonly columns: number } => {
  const out = conv2dOutputSize(g);
  return { rows: Math.ceil(out.height / 2), columns: Math.ceil(out.width / 2) };
};

/** Whether all images together take a third fewer multiplications by Winograd, at least. */
export function worthWinogradGradient(images: readonly Conv2dGeometry[]): boolean {
  let [byTiles, byPixels] = [0, 0];
  for (const g of images) {
    const [out, { rows, columns }] = [conv2dOutputSize(g), tilesOf(g)];
    byTiles += POINTS * rows * columns;
    byPixels += 9 * out.height * out.width;
  }
  const [first] = images;
  return first !== undefined && suitsWinograd(first) && byTiles <= (2 / 3) * byPixels;
}

/** Adds all images, one after another at x and dy, to the sums. */
export function addWinograd(
  exports: GradientPaddingExports & GradientTileExports & WinogradGradientExports,
  memory: KernelMemory,
  images: readonly Conv2dGeometry[],
  x: number,
  dy: number,
  sums: number,
): void {
  const { width, padWidth, padHeight, padMode, inChannels, outChannels } = images[0];
  const [groups, panels] = [inChannels / GROUP, outChannels / PANEL];
  const pixelBytes = 4 * inChannels;
  const { width: outWidth } = conv2dOutputSize(images[0]);
  const { columns: tileColumns } = tilesOf(images[0]);
  // A tile of 2 x 2 sees 4 x 4, so an odd last row or column of tiles looks one pixel farther.
  const columns = 2 * tileColumns + 2;
  const rowBytes = columns * pixelBytes;
  const most = Math.max(...images.map((g) => tilesOf(g).rows));
  const bandRows = groupSize(most, Math.floor((BAND_BYTES / rowBytes - 2) / 2));
  const [groupBytes, panelBytes] = [GROUP_BYTES * BLOCK_TILES, PANEL_BYTES * BLOCK_TILES];
  // One cache line more, lest the 16 begin at the same place of the cache.
  const [vBytes, zBytes] = [groups * groupBytes + 64, panels * panelBytes + 64];

  const mark = memory.mark();
  try {
    const band = memory.push((2 * bandRows + 2) * rowBytes);
    const places = memory.push(4 * bandRows * tileColumns);
    exports.gradientPlaces(bandRows, tileColumns, 2 * rowBytes, 2 * pixelBytes, places);
    const [v, z] = [memory.push(POINTS * vBytes), memory.push(POINTS * zBytes)];
    let filled = 0;
    const multiply = (): void => {
      for (let point = 0; point < POINTS; point++) {
        const to = sums + 4 * point * groups * panels * TILE;
        const [left, right] = [v + point * vBytes, z + point * zBytes];
        exports.gradientProducts(filled, groups, left, groupBytes, panels, right, panelBytes, to, 0);
      }
      filled = 0;
    };

    for (const g of images) {
      const out = conv2dOutputSize(g);
      const tileRows = tilesOf(g).rows;
      for (let row = 0; row < tileRows; row += bandRows) {
        const rows = Math.min(bandRows, tileRows - row);
        exports.gradientPad(
          2 * row - padHeight,
          2 * rows + 2,
          padWidth,
          columns,
          x,
          g.height,
          width,
          pixelBytes,
          padMode === 'reflect' ? 1 : 0,
          band,
        );
        const tiles = rows * tileColumns;
        for (let tile = 0; tile < tiles; ) {
          const count = Math.min(BLOCK_TILES - filled, tiles - tile);
          const tileRow = row + Math.floor(tile / tileColumns);
          const column = tile % tileColumns;
          exports.gradientInput(
            count,
            groups,
            places + 4 * tile,
            band,
            rowBytes,
            pixelBytes,
            v + GROUP_BYTES * filled,
            groupBytes,
            vBytes,
          );
          exports.gradientCotangent(
            count,
            panels,
            dy + 4 * outChannels * (2 * tileRow * outWidth + 2 * column),
            column,
            tileColumns,
            outWidth,
            out.height - 2 * tileRow,
            4 * outChannels,
            z + PANEL_BYTES * filled,
            panelBytes,
            zBytes,
          );
          tile += count;
          filled += count;
          if (filled === BLOCK_TILES) multiply();
        }
      }
      x += g.height * width * pixelBytes;
      dy += out.height * outWidth * 4 * outChannels;
    }
    if (filled > 0) multiply();
  } finally {
    memory.pop(mark);
  }
}
