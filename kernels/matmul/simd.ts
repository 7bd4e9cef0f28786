/**
 * Matrix product with WebAssembly SIMD.
 *
 * B lies in panels of 8 columns, [ceil(n / 8)][k][8], so that a step of the inner loop reads two vectors one
 * after the other. A tile of C, up to 4 rows by 8 columns, stays in registers while the loop runs over k: per
 * step it does 8 vector multiply-adds for 2 loads of B and 4 of A. Panels are the outer loop: one is read from
 * memory once and then stays in the first-level cache. A single row takes four panels side by side instead. Where B is small
 * and A is not, all this is done for one block of A's rows after the other, packed into panels of 4 rows where that pays.
 */
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { type I32, i32 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import {
  definePack,
  definePackRows,
  packedLength,
  packedRowsBytes,
  placeMatrix,
  placeRows,
} from './matrices.js';
import type { MatmulKernel, PackedMatrix } from './reference.js';
import {
  ACTIVATIONS,
  branchOn,
  defineActivate,
  defineCopy,
  defineRow,
  defineTile,
  MOST_ROWS,
  PANEL,
  PANEL_BYTES,
  ROW_PANELS,
  type TileLayout,
} from './tile.js';

/** Adds the functions of the kernel. */
export function defineMatmul(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const tilesOf = (layout: TileLayout) =>
    Array.from({ length: MOST_ROWS }, (_, r) => defineTile(module, arithmetic, r + 1, layout));
  const tiles = { rows: tilesOf('rows'), packed: tilesOf('transposed') };
  const row = defineRow(module, arithmetic);
  const activate = defineActivate(module, arithmetic);
  const copy = defineCopy(module);
  const packRows = definePackRows(module);
  definePack(module);

  // C [m, columns]; `spare` holds a tile. A is in rows, or in panels of four where `packed` is 1.
  const parameters = {
    m: 'i32',
    columns: 'i32',
    k: 'i32',
    a: 'i32',
    aRowBytes: 'i32',
    packed: 'i32',
    b: 'i32',
    bias: 'i32',
    biasBytes: 'i32',
    activation: 'i32',
    accumulate: 'i32',
    c: 'i32',
    cRowBytes: 'i32',
    spare: 'i32',
    zero: 'i32',
  } as const;
  const block = module.function(
    'matmulBlock',
    parameters,
    (f, p) => {
      const { k, a, aRowBytes, b, bias, biasBytes, activation, accumulate, c, cRowBytes, spare } = p;
      const advance = (panels: number): void => {
        f.increase(b, i32.mul(k, i32.const(PANEL_BYTES * panels)));
        f.increase(bias, i32.mul(biasBytes, i32.const(panels)));
        f.increase(c, PANEL_BYTES * panels);
        f.increase(p.columns, -PANEL * panels);
      };
      const several = i32.const(PANEL * ROW_PANELS);
      const single = i32.and(i32.eq(p.m, i32.const(1)), i32.eqz(p.packed));
      f.while(i32.and(single, i32.geS(p.columns, several)), () => {
        f.call(row, k, a, b, bias, biasBytes, c, accumulate);
        f.if(activation, () =>
          f.call(activate, activation, i32.const(ROW_PANELS), c, i32.const(PANEL_BYTES)),
        );
        advance(ROW_PANELS);
      });

      // From one block of four rows to the next; fewer than four are the last.
      const fourRows = f.local(
        i32.select(i32.shl(k, i32.const(4)), i32.shl(aRowBytes, i32.const(2)), p.packed),
      );
      const [left, rows, full] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      const [aRow, cRow, to, toRowBytes] = [
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
      ];
      f.while(i32.gtS(p.columns, i32.const(0)), () => {
        f.set(full, i32.geS(p.columns, i32.const(PANEL)));
        f.set(left, p.m);
        f.set(aRow, a);
        f.set(cRow, c);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.set(rows, i32.select(left, i32.const(MOST_ROWS), i32.ltS(left, i32.const(MOST_ROWS))));
          // A last panel that is not full is computed in the spare tile, so nothing is written beside C.
          f.set(to, i32.select(cRow, spare, full));
          f.set(toRowBytes, i32.select(cRowBytes, i32.const(PANEL_BYTES), full));
          f.if(i32.and(accumulate, i32.eqz(full)), () => {
            f.call(copy, rows, p.columns, cRow, cRowBytes, spare, i32.const(PANEL_BYTES));
          });
          const multiply = (tile: FunctionReference, aStepBytes: I32) =>
            f.call(tile, k, aRow, aStepBytes, b, bias, to, toRowBytes, accumulate, p.zero);
          f.if(
            p.packed,
            () => branchOn(f, rows, (r) => multiply(tiles.packed[r - 1]!, i32.const(16))),
            () => branchOn(f, rows, (r) => multiply(tiles.rows[r - 1]!, aRowBytes)),
          );
          f.if(activation, () => f.call(activate, activation, rows, to, toRowBytes));
          f.if(i32.eqz(full), () => {
            f.call(copy, rows, p.columns, spare, i32.const(PANEL_BYTES), cRow, cRowBytes);
          });
          f.increase(aRow, fourRows);
          f.increase(cRow, i32.mul(rows, cRowBytes));
          f.set(left, i32.sub(left, rows));
        });
        advance(1);
      });
    },
    false,
  );

  // The same in blocks of so many rows of any A; `rowPanels` has room for a block of them
  const { packed: _, ...operands } = parameters;
  module.function(
    'matmul',
    { ...operands, aColumnBytes: 'i32', blockRows: 'i32', rowPanels: 'i32' },
    (f, p) => {
      const rows = f.declare('i32');
      const inColumns = i32.ne(p.aColumnBytes, i32.const(4));
      // Fused, a tile is as fast on rows as they are.
      const worthIt = i32.and(
        i32.geS(p.columns, i32.const(LEAST_COLUMNS)),
        i32.geS(rows, i32.const(MOST_ROWS)),
      );
      const isPacked = arithmetic.fused ? inColumns : i32.or(inColumns, worthIt);
      f.while(i32.gtS(p.m, i32.const(0)), () => {
        f.set(rows, i32.select(p.m, p.blockRows, i32.ltS(p.m, p.blockRows)));
        const multiply = (a: I32, packed: number) =>
          f.call(
            block,
            rows,
            p.columns,
            p.k,
            a,
            p.aRowBytes,
            i32.const(packed),
            p.b,
            p.bias,
            p.biasBytes,
            p.activation,
            p.accumulate,
            p.c,
            p.cRowBytes,
            p.spare,
            p.zero,
          );
        f.if(
          isPacked,
          () => {
            f.call(packRows, rows, p.k, p.a, p.aRowBytes, p.aColumnBytes, p.rowPanels);
            multiply(p.rowPanels, 1);
          },
          () => multiply(p.a, 0),
        );
        f.increase(p.a, i32.mul(rows, p.aRowBytes));
        f.increase(p.c, i32.mul(rows, p.cRowBytes));
        f.set(p.m, i32.sub(p.m, rows));
      });
    },
  );
}

/** Columns of B from which on packing rows of A pays. */
const LEAST_COLUMNS = 64;
/** Bytes of A that are gone through for each panel of B: they come from the second-level cache at worst. */
const BLOCK_BYTES = 1 << 16;
/** Of a larger B, reading it again for each block would cost more than reading A again for each panel. */
const MOST_PACKED_BYTES = 1 << 19;

function blockRowsOf(m: number, k: number, packedBytes: number): number {
  if (packedBytes > MOST_PACKED_BYTES) return m;
  return Math.max(32, 4 * Math.floor(BLOCK_BYTES / (16 * Math.max(k, 1))));
}

export interface MatmulExports {
  matmul(
    m: number,
    columns: number,
    k: number,
    a: number,
    aRowBytes: number,
    b: number,
    bias: number,
    biasBytes: number,
    activation: number,
    accumulate: number,
    c: number,
    cRowBytes: number,
    spare: number,
    zero: number,
    aColumnBytes: number,
    blockRows: number,
    rowPanels: number,
  ): void;
  packPanels(n: number, k: number, b: number, rowBytes: number, columnBytes: number, to: number): void;
}

export const matmulSimd: SimdKernel<MatmulKernel, MatmulExports> = {
  name: 'matmul',
  summary: 'panels of 8 columns, tiles of 4 x 8 in registers',
  define: defineMatmul,
  threaded: true,
  bind: (exports, memory, threads) => ({
    pack(n, k, b, bOffset, bRowStride, bColumnStride, lifetime) {
      const length = packedLength(n, k);
      const data = lifetime === 'kept' ? memory.keepFloats(length) : memory.pushFloats(length);
      const mark = memory.mark();
      try {
        const { pointer, rowBytes, columnBytes } = placeMatrix(
          memory,
          b,
          bOffset,
          k,
          n,
          bRowStride,
          bColumnStride,
        );
        exports.packPanels(n, k, pointer, rowBytes, columnBytes, data.byteOffset);
      } finally {
        memory.pop(mark);
      }
      return { n, k, data, offset: 0, rowStride: 0, columnStride: 0 };
    },
    multiply(
      m,
      a,
      aOffset,
      aRowStride,
      aColumnStride,
      { n, k, data }: PackedMatrix,
      bias,
      biasOffset,
      activation,
      accumulate,
      c,
      cOffset,
      cRowStride,
    ) {
      const mark = memory.mark();
      try {
        const rows = placeRows(memory, a, aOffset, m, k, aRowStride, aColumnStride);
        const added = bias === null ? memory.zeros : placeInput(memory, bias, biasOffset, 1, n, n).pointer;
        const to = placeOutput(memory, c, cOffset, m, n, cRowStride);
        if (accumulate && !memory.holds(c)) {
          for (let i = 0; i < m; i++) {
            const from = cOffset + i * cRowStride;
            new Float32Array(memory.buffer, to.pointer + i * to.rowBytes, n).set(c.subarray(from, from + n));
          }
        }
        // A thread takes a run of whole panels.
        const panels = Math.ceil(n / PANEL);
        const each = Math.ceil(panels / Math.min(threads.count(2 * m * n * k), panels || 1));
        const blockRows = blockRowsOf(m, k, data.byteLength);
        const parts: number[][] = [];
        for (let first = 0; first < panels; first += each) {
          parts.push([
            m,
            Math.min(n - first * PANEL, each * PANEL),
            k,
            rows.pointer,
            rows.rowBytes,
            data.byteOffset + first * k * PANEL_BYTES,
            bias === null ? memory.zeros : added + first * PANEL_BYTES,
            bias === null ? 0 : PANEL_BYTES,
            ACTIVATIONS.indexOf(activation),
            accumulate ? 1 : 0,
            to.pointer + first * PANEL_BYTES,
            to.rowBytes,
            memory.push(MOST_ROWS * PANEL_BYTES),
            0,
            rows.columnBytes,
            blockRows,
            memory.push(packedRowsBytes(Math.min(m, blockRows), k)),
          ]);
        }
        if (parts.length > 0) threads.run('matmul', parts, exports.matmul);
        returnOutput(memory, to, c, cOffset, m, n, cRowStride);
      } finally {
        memory.pop(mark);
      }
    },
  }),
};
