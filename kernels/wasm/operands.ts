/**
 * Where a kernel finds its operands. One that already lies in the kernels' memory is used where it is; one
 * from anywhere else is copied onto the stack, and a result is copied back. Callers mark the stack before and
 * pop it after.
 */
import type { KernelMemory } from './memory.js';

/** Rows of floats in the kernels' memory. */
export interface PlacedRows {
  readonly pointer: number;
  /** Bytes from one row to the next. */
  readonly rowBytes: number;
}

/** Rows to read. */
export function placeInput(
  memory: KernelMemory,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
): PlacedRows {
  if (memory.holds(data)) return { pointer: data.byteOffset + 4 * offset, rowBytes: 4 * rowStride };
  return { pointer: memory.copyIn(data, offset, rows, columns, rowStride), rowBytes: 4 * columns };
}

/** Rows to write; `returnOutput` must follow when they are written. */
export function placeOutput(
  memory: KernelMemory,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
): PlacedRows {
  if (memory.holds(data)) return { pointer: data.byteOffset + 4 * offset, rowBytes: 4 * rowStride };
  return { pointer: memory.push(4 * rows * columns), rowBytes: 4 * columns };
}

/** Copies written rows to where they belong, unless they were written there. */
export function returnOutput(
  memory: KernelMemory,
  placed: PlacedRows,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
): void {
  if (memory.holds(data)) return;
  memory.copyOut(placed.pointer, data, offset, rows, columns, rowStride);
}
