/** Matrices on their way into the kernel: B into panels, A into contiguous rows, both from anywhere. */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, i32 } from '../wasm/expression.js';
import type { KernelMemory } from '../wasm/memory.js';
import { type PlacedRows, placeInput } from '../wasm/operands.js';
import { transposed } from '../wasm/transpose.js';
import { PANEL, PANEL_BYTES } from './tile.js';

/** Floats of a packed matrix. */
export const packedLength = (n: number, k: number): number => Math.ceil(n / PANEL) * PANEL * k;

/**
 * Adds `packPanels`: B [k, n], element (p, j) at b + p · rowBytes + j · columnBytes, to panels [ceil(n / 8)][k][8],
 * with zeros in the columns that the last panel has too many.
 */
export function definePack(module: ModuleBuilder): void {
  module.function(
    'packPanels',
    { n: 'i32', k: 'i32', b: 'i32', rowBytes: 'i32', columnBytes: 'i32', to: 'i32' },
    (f, { n, k, b, rowBytes, columnBytes, to }) => {
      const [p, from] = [f.declare('i32'), f.declare('i32')];
      const contiguous = f.local(i32.eq(columnBytes, i32.const(4)));
      f.while(i32.gtS(n, i32.const(0)), () => {
        f.set(from, b);
        f.for(p, i32.const(0), k, 1, () => {
          f.if(
            i32.and(contiguous, i32.geS(n, i32.const(PANEL))),
            () => {
              f.store(to, f32x4.load(from));
              f.store(to, f32x4.load(from, 16), 16);
            },
            () => {
              const at = f.local(from);
              for (let j = 0; j < PANEL; j++) {
                f.if(
                  i32.gtS(n, i32.const(j)),
                  () => f.store(to, f32.load(at), 4 * j),
                  () => f.store(to, f32.const(0), 4 * j),
                );
                f.increase(at, columnBytes);
              }
            },
          );
          f.increase(from, rowBytes);
          f.increase(to, PANEL_BYTES);
        });
        f.increase(b, i32.shl(columnBytes, i32.const(3)));
        f.increase(n, -PANEL);
      });
    },
  );
}

/** A matrix [rows, columns] with any strides, in the kernels' memory. */
export function placeMatrix(
  memory: KernelMemory,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): { readonly pointer: number; readonly rowBytes: number; readonly columnBytes: number } {
  if (columnStride === 1) {
    return { ...placeInput(memory, data, offset, rows, columns, rowStride), columnBytes: 4 };
  }
  if (memory.holds(data)) {
    const pointer = data.byteOffset + 4 * offset;
    return { pointer, rowBytes: 4 * rowStride, columnBytes: 4 * columnStride };
  }
  if (rowStride === 1) {
    const { pointer, rowBytes } = placeInput(memory, data, offset, columns, rows, columnStride);
    return { pointer, rowBytes: 4, columnBytes: rowBytes };
  }
  const copy = memory.pushFloats(rows * columns);
  for (let r = 0, to = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) copy[to++] = data[offset + r * rowStride + c * columnStride];
  }
  return { pointer: copy.byteOffset, rowBytes: 4 * columns, columnBytes: 4 };
}

/** Bytes of a row that `transposeRows` writes: an odd number of vectors, so that columns spread over the cache's sets. */
const turnedRowBytes = (length: number): number => 16 * (Math.ceil(length / 4) | 1);

/**
 * Adds `transposeRows`: X [rows, columns] to rows of Xᵀ, `toRowBytes` apart. A row is filled up to a multiple of four
 * with the last number.
 */
export function defineTransposeRows(module: ModuleBuilder): void {
  module.function(
    'transposeRows',
    { rows: 'i32', columns: 'i32', x: 'i32', rowBytes: 'i32', to: 'i32', toRowBytes: 'i32' },
    (f, { rows, columns, x, rowBytes, to, toRowBytes }) => {
      const from = [0, 1, 2, 3].map(() => f.declare('i32'));
      const [left, target] = [f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(rows, i32.const(0)), () => {
        from.forEach((pointer, r) => {
          const before = r === 0 ? x : from[r - 1]!;
          const below = r === 0 ? x : i32.add(before, rowBytes);
          f.set(pointer, i32.select(below, before, i32.gtS(rows, i32.const(r))));
        });
        f.set(target, to);
        f.set(left, columns);
        f.while(i32.geS(left, i32.const(4)), () => {
          for (const four of transposed(f, from)) {
            f.store(target, four);
            f.increase(target, toRowBytes);
          }
          for (const pointer of from) f.increase(pointer, 16);
          f.increase(left, -4);
        });
        f.if(left, () => {
          transposed(f, from).forEach((four, d) => {
            f.if(i32.gtS(left, i32.const(d)), () => f.store(target, four));
            f.increase(target, toRowBytes);
          });
        });
        f.increase(x, i32.shl(rowBytes, i32.const(2)));
        f.increase(to, 16);
        f.increase(rows, -4);
      });
    },
  );
}

/** The function that `defineTransposeRows` adds. */
export type TransposeRows = (
  rows: number,
  columns: number,
  x: number,
  rowBytes: number,
  to: number,
  toRowBytes: number,
) => void;

/** The same with contiguous rows: a matrix that is stored in columns is turned, one with other strides is copied. */
export function placeRows(
  memory: KernelMemory,
  transposeRows: TransposeRows,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): PlacedRows {
  if (columnStride === 1 || columns === 1) return placeInput(memory, data, offset, rows, columns, rowStride);
  if (rowStride === 1) {
    const stored = placeInput(memory, data, offset, columns, rows, columnStride);
    const rowBytes = turnedRowBytes(columns);
    const pointer = memory.push(rows * rowBytes);
    transposeRows(columns, rows, stored.pointer, stored.rowBytes, pointer, rowBytes);
    return { pointer, rowBytes };
  }
  const copy = memory.pushFloats(rows * columns);
  for (let r = 0, to = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) copy[to++] = data[offset + r * rowStride + c * columnStride];
  }
  return { pointer: copy.byteOffset, rowBytes: 4 * columns };
}
