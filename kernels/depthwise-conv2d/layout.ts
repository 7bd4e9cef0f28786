/** How a call of the SIMD variant lies in scratch; simd.ts says why. */
import { LANES, VECTOR } from '../depthwise-conv1d/window.js';
import type { KernelMemory } from '../wasm/memory.js';
import type { DepthwiseConv2dGeometry } from './reference.js';

/** Channels of a slab: a cache line. */
export const SLAB = 16;
/** Rows of a tile. */
export const ROWS = 8;
/** Bytes of a segment: where it begins, its taps. */
export const SEGMENT_BYTES = 8;
/** Scratch of a band of columns: as much of a second-level cache is left for X and Y. */
const BAND_BYTES = 1 << 18;

/** Taps of a filter's column in phase p: rows p, p + stride, ... of it. */
const tapsOf = ({ kernelHeight, strideHeight }: DepthwiseConv2dGeometry, p: number): number =>
  Math.ceil((kernelHeight - p) / strideHeight);

/** Phases that have taps. */
const phasesOf = ({ kernelHeight, strideHeight }: DepthwiseConv2dGeometry): number =>
  Math.min(kernelHeight, strideHeight);

/** Floats of the packed filters. */
export const filterLength = ({ channels, kernelHeight, kernelWidth }: DepthwiseConv2dGeometry): number =>
  Math.ceil(channels / LANES) * LANES * kernelHeight * kernelWidth;

/** Filters as [channels / 4][kernel width][phases][taps][4], zeros for channels that are not there. */
export function packTaps(
  g: DepthwiseConv2dGeometry,
  weight: Float32Array,
  offset: number,
  to: Float32Array,
): void {
  const taps = g.kernelHeight * g.kernelWidth;
  to.fill(0);
  for (let c = 0; c < g.channels; c++) {
    let at = (c - (c % LANES)) * taps + (c % LANES);
    for (let s = 0; s < g.kernelWidth; s++) {
      for (let p = 0; p < phasesOf(g); p++) {
        for (let r = p; r < g.kernelHeight; r += g.strideHeight, at += LANES) {
          to[at] = weight[offset + c * taps + r * g.kernelWidth + s];
        }
      }
    }
  }
}

/** How one call lies in scratch. */
export interface Layout {
  readonly phaseBytes: number;
  readonly columnBytes: number;
  /** Columns of outputs of a band, and of scratch for them. */
  readonly bandOutputs: number;
  readonly bandColumns: number;
  readonly groupBytes: number;
}

export function layoutOf(g: DepthwiseConv2dGeometry, out: { height: number; width: number }): Layout {
  // Tiles of a last block that is not full read on.
  const phaseRows = Math.ceil(out.height / ROWS) * ROWS + tapsOf(g, 0) - 1;
  const phaseBytes = VECTOR * phaseRows;
  const columnBytes = phaseBytes * g.strideHeight;
  const fitting = Math.floor(BAND_BYTES / (columnBytes * (SLAB / LANES)));
  const bandOutputs = Math.min(
    out.width,
    Math.max(1, Math.floor((fitting - g.kernelWidth) / g.strideWidth) + 1),
  );
  const bandColumns = (bandOutputs - 1) * g.strideWidth + g.kernelWidth;
  return { phaseBytes, columnBytes, bandOutputs, bandColumns, groupBytes: columnBytes * bandColumns };
}

/** The pixels that a band of outputs looks at, and where the first of them goes in scratch. */
export interface Seen {
  readonly firstColumn: number;
  readonly columns: number;
  /** Rows from row 0 of the image on. */
  readonly rows: number;
  /** Bytes of the first pixel from the start of scratch, without its phase. */
  readonly place: number;
  readonly phase: number;
}

/** What outputs of columns [first, first + outputs) see. */
export function seenBy(
  g: DepthwiseConv2dGeometry,
  layout: Layout,
  outHeight: number,
  first: number,
  outputs: number,
): Seen {
  const left = first * g.strideWidth - g.padLeft;
  const columns = (outputs - 1) * g.strideWidth + g.kernelWidth;
  const firstColumn = Math.max(0, left);
  const rows = (outHeight - 1) * g.strideHeight + g.kernelHeight - g.padTop;
  return {
    firstColumn,
    columns: Math.max(0, Math.min(g.width, left + columns) - firstColumn),
    rows: Math.max(0, Math.min(g.height, rows)),
    place: (firstColumn - left) * layout.columnBytes + VECTOR * Math.floor(g.padTop / g.strideHeight),
    phase: g.padTop % g.strideHeight,
  };
}

/** Writes where each segment begins in scratch, and its taps. */
export function writeSegments(
  memory: KernelMemory,
  g: DepthwiseConv2dGeometry,
  { columnBytes, phaseBytes }: Layout,
): { readonly pointer: number; readonly end: number } {
  const count = g.kernelWidth * phasesOf(g);
  const pointer = memory.push(SEGMENT_BYTES * count);
  const words = new Int32Array(memory.buffer, pointer, 2 * count);
  let at = 0;
  for (let s = 0; s < g.kernelWidth; s++) {
    for (let p = 0; p < phasesOf(g); p++) {
      words[at++] = s * columnBytes + p * phaseBytes;
      words[at++] = tapsOf(g, p);
    }
  }
  return { pointer, end: pointer + SEGMENT_BYTES * count };
}
