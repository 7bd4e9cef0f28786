/** Matrices on their way into the kernel: B into panels of 8 columns, A into panels of 4 rows, both from anywhere. */
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
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

/** A matrix in the kernels' memory: bytes from row to row and from column to column. */
interface PlacedMatrix extends PlacedRows {
  readonly columnBytes: number;
}

/** A matrix [rows, columns] with any strides. */
export function placeMatrix(
  memory: KernelMemory,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): PlacedMatrix {
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
  return copyMatrix(memory, data, offset, rows, columns, rowStride, columnStride);
}

/** The same for A: elements of its rows or of its columns lie side by side, so one of the strides is 4 bytes. */
export function placeRows(
  memory: KernelMemory,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): PlacedMatrix {
  if (columnStride === 1 || rowStride === 1) {
    return placeMatrix(memory, data, offset, rows, columns, rowStride, columnStride);
  }
  if (columns === 1) return placeMatrix(memory, data, offset, rows, columns, rowStride, 1);
  return copyMatrix(memory, data, offset, rows, columns, rowStride, columnStride);
}

function copyMatrix(
  memory: KernelMemory,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): PlacedMatrix {
  const copy = memory.pushFloats(rows * columns);
  for (let r = 0, to = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) copy[to++] = data[offset + r * rowStride + c * columnStride];
  }
  return { pointer: copy.byteOffset, rowBytes: 4 * columns, columnBytes: 4 };
}

/** Bytes of packed rows of A. */
export const packedRowsBytes = (rows: number, k: number): number => 16 * Math.ceil(rows / 4) * k;

/**
 * Adds `packRows`: A [rows, k], in rows or, where `rowBytes` is 4, in columns, to [ceil(rows / 4)][k][4]. What stands in the
 * rows that the last four are short of is the last row, or what follows it; nobody reads it.
 */
export function definePackRows(module: ModuleBuilder): FunctionReference {
  return module.function(
    'packRows',
    { rows: 'i32', k: 'i32', a: 'i32', rowBytes: 'i32', columnBytes: 'i32', to: 'i32' },
    (f, { rows, k, a, rowBytes, columnBytes, to }) => {
      const from = [0, 1, 2, 3].map(() => f.declare('i32'));
      const left = f.declare('i32');
      const inColumns = () => {
        f.set(from[0]!, a);
        f.for(left, i32.const(0), k, 1, () => {
          f.store(to, f32x4.load(from[0]!));
          f.increase(from[0]!, columnBytes);
          f.increase(to, 16);
        });
      };
      const inRows = () => {
        from.forEach((pointer, r) => {
          const before = r === 0 ? a : from[r - 1]!;
          const below = r === 0 ? a : i32.add(before, rowBytes);
          f.set(pointer, i32.select(below, before, i32.gtS(rows, i32.const(r))));
        });
        f.set(left, k);
        f.while(i32.geS(left, i32.const(4)), () => {
          transposed(f, from).forEach((four, step) => {
            f.store(to, four, 16 * step);
          });
          for (const pointer of from) f.increase(pointer, 16);
          f.increase(to, 64);
          f.increase(left, -4);
        });
        f.if(left, () => {
          transposed(f, from).forEach((four, step) => {
            f.if(i32.gtS(left, i32.const(step)), () => f.store(to, four, 16 * step));
          });
          f.increase(to, i32.shl(left, i32.const(4)));
        });
      };
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.if(i32.eq(rowBytes, i32.const(4)), inColumns, inRows);
        f.increase(a, i32.shl(rowBytes, i32.const(2)));
        f.increase(rows, -4);
      });
    },
    false,
  );
}
