/** Matrices on their way into the kernel: B into panels, A into contiguous rows, both from anywhere. */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, i32 } from '../wasm/expression.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput } from '../wasm/operands.js';
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

/** The same with contiguous rows: a transposed matrix is copied. */
export function placeRows(
  memory: KernelMemory,
  data: Float32Array,
  offset: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): { readonly pointer: number; readonly rowBytes: number } {
  if (columnStride === 1 || columns === 1) return placeInput(memory, data, offset, rows, columns, rowStride);
  const copy = memory.pushFloats(rows * columns);
  for (let r = 0, to = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) copy[to++] = data[offset + r * rowStride + c * columnStride];
  }
  return { pointer: copy.byteOffset, rowBytes: 4 * columns };
}
