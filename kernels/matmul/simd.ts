/**
 * Matrix product with WebAssembly SIMD.
 *
 * B lies in panels of 8 columns, [ceil(n / 8)][k][8], so that a step of the inner loop reads two vectors one
 * after the other. A tile of C, up to 5 rows by 8 columns, stays in registers while the loop runs over k: per
 * step a 4 x 8 tile does 8 vector multiply-adds for 2 loads of B and 4 of A.
 * Panels are the outer loop: one is read from memory once and then stays in the first-level cache.
 */
import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, type I32, i32, type V128 } from '../wasm/expression.js';
import { swish } from '../wasm/math.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { MatmulActivation, MatmulKernel, PackedMatrix } from './reference.js';

/** Columns of a panel. */
export const PANEL = 8;
const PANEL_BYTES = 4 * PANEL;

/** How a tile of so many rows is computed; the accumulators are 2 · rows · chains registers of the 15 there are. */
export interface TilePlan {
  readonly rows: number;
  /** Sums that a tile of few rows keeps per element, so that additions do not wait for one another. */
  readonly chains: number;
  /** Steps of k in one turn of the loop; a multiple of `chains`. */
  readonly unroll: number;
  /**
   * Rows, and steps, between two fences. V8 loads all that stands between them at once: accumulators, two of B, one
   * for each row and a product have to fit into 15 registers. (Fused, there is no product.)
   */
  readonly fencedRows: number;
  readonly fencedSteps: number;
}

export const tilePlan = (rows: number, { fused }: Arithmetic): TilePlan => {
  if (rows === 1) return { rows, chains: 4, unroll: 8, fencedRows: 1, fencedSteps: 2 };
  if (rows === 2) return { rows, chains: 2, unroll: 4, fencedRows: 2, fencedSteps: 1 };
  const room = 15 - 2 * rows - 2 - (fused ? 0 : 1);
  return { rows, chains: 1, unroll: 4, fencedRows: Math.min(rows, room), fencedSteps: 1 };
};

/** Rows of the largest tile, fused or not: 6 fill all registers, and then there is no room to load ahead. */
export const mostRows = (_arithmetic: Arithmetic): number => 5;

const TILE_PARAMETERS = {
  k: 'i32',
  a: 'i32',
  aRowBytes: 'i32',
  b: 'i32',
  bias: 'i32',
  c: 'i32',
  cRowBytes: 'i32',
  accumulate: 'i32',
  zero: 'i32',
} as const;

/**
 * Adds `tile<rows>`: rows of A [rows, k] times one panel [k, 8], plus 8 numbers of bias, to or onto C [rows, 8].
 */
export function defineTile(module: ModuleBuilder, arithmetic: Arithmetic, rows: number): FunctionReference {
  const { chains, unroll, fencedRows, fencedSteps } = tilePlan(rows, arithmetic);
  return module.function(
    `tile${rows}`,
    TILE_PARAMETERS,
    (f, { k, a, aRowBytes, b, bias, c, cRowBytes, accumulate, zero }) => {
      const rowOf = Array.from({ length: rows }, (_, r) =>
        r === 0 ? a : f.local(i32.add(a, i32.mul(aRowBytes, i32.const(r)))),
      );
      // sums[chain][row]: the two vectors of a row of the tile
      const sums = Array.from({ length: chains }, (_, chain) =>
        Array.from({ length: rows }, () =>
          [0, 16].map((half) => f.local(chain === 0 ? f32x4.load(bias, half) : f32x4.constSplat(0))),
        ),
      ) as [Local<'v128'>, Local<'v128'>][][];
      const [b0, b1, x] = [f.declare('v128'), f.declare('v128'), f.declare('v128')];
      const end = f.declare('i32');

      const step = (s: number): void => {
        f.set(b0, f32x4.load(b, PANEL_BYTES * s));
        f.set(b1, f32x4.load(b, PANEL_BYTES * s + 16));
        sums[s % chains]!.forEach(([left, right], r) => {
          f.set(x, f32x4.loadSplat(rowOf[r]!, 4 * s));
          f.set(left, arithmetic.madd(x, b0, left));
          f.set(right, arithmetic.madd(x, b1, right));
          const last = r === rows - 1;
          if (last ? s % fencedSteps === fencedSteps - 1 : (r + 1) % fencedRows === 0) f.fence(zero);
        });
      };
      const advance = (steps: number): void => {
        f.increase(b, PANEL_BYTES * steps);
        for (const row of rowOf) f.increase(row, 4 * steps);
      };

      f.set(end, i32.add(b, i32.mul(k, i32.const(PANEL_BYTES))));
      f.while(i32.leS(b, i32.sub(end, i32.const(PANEL_BYTES * unroll))), () => {
        for (let s = 0; s < unroll; s++) step(s);
        advance(unroll);
      });
      f.while(i32.ltS(b, end), () => {
        step(0);
        advance(1);
      });

      const totals = Array.from({ length: rows }, (_, r) =>
        [0, 1].map((half) =>
          sums.map((chain) => chain[r]![half] as V128).reduce((left, right) => f32x4.add(left, right)),
        ),
      );
      const store = (add: boolean) => {
        const to = f.local(c);
        for (const halves of totals) {
          halves.forEach((total, half) => {
            const value = add ? f32x4.add(f32x4.load(to, 16 * half), total) : total;
            f.store(to, value, 16 * half);
          });
          f.increase(to, cRowBytes);
        }
      };
      f.if(
        accumulate,
        () => store(true),
        () => store(false),
      );
    },
    false,
  );
}

/** Activations by number, as the exported function takes them. */
const ACTIVATIONS: readonly MatmulActivation[] = ['none', 'relu', 'swish'];

/** Adds `activate`: f of each element of C [rows, 8], in place. */
function defineActivate(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  return module.function(
    'activateTile',
    { activation: 'i32', rows: 'i32', c: 'i32', cRowBytes: 'i32' },
    (f, { activation, rows, c, cRowBytes }) => {
      const each = (apply: (x: Local<'v128'>) => V128) => {
        f.while(i32.gtS(rows, i32.const(0)), () => {
          for (const half of [0, 16]) {
            const x = f.local(f32x4.load(c, half));
            f.store(c, apply(x), half);
          }
          f.increase(c, cRowBytes);
          f.increase(rows, -1);
        });
      };
      f.if(
        i32.eq(activation, i32.const(ACTIVATIONS.indexOf('relu'))),
        () => each((x) => f32x4.max(x, f32x4.constSplat(0))),
        () => each((x) => swish(f, arithmetic, x)),
      );
    },
    false,
  );
}

/** Adds `copyTile`: C [rows, columns] = or += T [rows, 8], for a last panel that is not full. */
function defineCopy(module: ModuleBuilder): FunctionReference {
  return module.function(
    'copyTile',
    { rows: 'i32', columns: 'i32', tile: 'i32', c: 'i32', cRowBytes: 'i32' },
    (f, { rows, columns, tile, c, cRowBytes }) => {
      const j = f.local(i32.const(0));
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.for(j, i32.const(0), i32.shl(columns, i32.const(2)), 4, () => {
          f.store(i32.add(c, j), f32.load(i32.add(tile, j)));
        });
        f.increase(tile, PANEL_BYTES);
        f.increase(c, cRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/** Adds the functions of the kernel. */
export function defineMatmul(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const most = mostRows(arithmetic);
  const tiles = Array.from({ length: most }, (_, r) => defineTile(module, arithmetic, r + 1));
  const activate = defineActivate(module, arithmetic);
  const copy = defineCopy(module);
  definePack(module);

  // Columns from `first` on of C [m, columns]; `spare` holds a tile.
  module.function(
    'matmul',
    {
      m: 'i32',
      columns: 'i32',
      k: 'i32',
      a: 'i32',
      aRowBytes: 'i32',
      b: 'i32',
      bias: 'i32',
      biasBytes: 'i32',
      activation: 'i32',
      accumulate: 'i32',
      c: 'i32',
      cRowBytes: 'i32',
      spare: 'i32',
      zero: 'i32',
    },
    (f, p) => {
      const [i, left, rows] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      const [aRow, cRow] = [f.declare('i32'), f.declare('i32')];
      const [to, toRowBytes] = [f.declare('i32'), f.declare('i32')];
      const full = f.declare('i32');
      f.while(i32.gtS(p.columns, i32.const(0)), () => {
        f.set(full, i32.geS(p.columns, i32.const(PANEL)));
        f.set(left, p.m);
        f.set(aRow, p.a);
        f.set(cRow, p.c);
        f.while(i32.gtS(left, i32.const(0)), () => {
          chooseRows(f, rows, left, most);
          f.set(to, i32.select(cRow, p.spare, full));
          f.set(toRowBytes, i32.select(p.cRowBytes, i32.const(PANEL_BYTES), full));
          f.if(i32.and(p.accumulate, i32.eqz(full)), () => {
            copyIn(f, rows, p.columns, cRow, p.cRowBytes, p.spare);
          });
          branchOn(f, rows, most, (r) => {
            f.call(tiles[r - 1]!, p.k, aRow, p.aRowBytes, p.b, p.bias, to, toRowBytes, p.accumulate, p.zero);
          });
          f.if(p.activation, () => f.call(activate, p.activation, rows, to, toRowBytes));
          f.if(i32.eqz(full), () => f.call(copy, rows, p.columns, p.spare, cRow, p.cRowBytes));
          f.increase(aRow, i32.mul(rows, p.aRowBytes));
          f.increase(cRow, i32.mul(rows, p.cRowBytes));
          f.set(left, i32.sub(left, rows));
        });
        f.increase(p.b, i32.mul(p.k, i32.const(PANEL_BYTES)));
        f.increase(p.bias, p.biasBytes);
        f.increase(p.c, PANEL_BYTES);
        f.increase(p.columns, -PANEL);
      });
      f.set(i, i32.const(0));
    },
  );
}

/** C [rows, columns] to a spare tile [rows, 8], for a last panel that is added to. */
function copyIn(f: FunctionBuilder, rows: I32, columns: I32, c: I32, cRowBytes: I32, tile: I32): void {
  const [r, j, from] = [f.local(i32.const(0)), f.declare('i32'), f.local(c)];
  f.while(i32.ltS(r, rows), () => {
    f.for(j, i32.const(0), columns, 1, () => {
      const at = i32.shl(i32.add(i32.mul(r, i32.const(PANEL)), j), i32.const(2));
      f.store(i32.add(tile, at), f32.load(i32.add(from, i32.shl(j, i32.const(2)))));
    });
    f.increase(from, cRowBytes);
    f.increase(r, 1);
  });
}

/**
 * Rows of the next tile, of `left` that are left: tiles of 4 and one more row each as long as that leaves no
 * remainder of 1 to 3 rows, which would cost as much as 4. With 5 rows at most: 25 = 5 · 5, 13 = 5 + 4 + 4.
 */
function chooseRows(f: FunctionBuilder, rows: Local<'i32'>, left: Local<'i32'>, most: number): void {
  f.set(rows, left);
  f.if(i32.gtS(left, i32.const(most)), () => {
    f.set(rows, i32.const(4));
    f.if(i32.remS(left, i32.const(4)), () => f.set(rows, i32.const(most)));
    // 7 rows: 4 + 3 rather than 5 + 2
    f.if(i32.eq(left, i32.const(7)), () => f.set(rows, i32.const(4)));
  });
}

/** Runs `body(r)` for the r that `rows` is, 1 to `most`; the largest first, because it is the most frequent. */
function branchOn(f: FunctionBuilder, rows: I32, most: number, body: (rows: number) => void): void {
  const branch = (r: number): void => {
    if (r === 1) {
      body(1);
      return;
    }
    f.if(
      i32.eq(rows, i32.const(r)),
      () => body(r),
      () => branch(r - 1),
    );
  };
  branch(most);
}

/**
 * Adds `packPanels`: B [k, n], element (p, j) at b + p · rowBytes + j · columnBytes, to panels [ceil(n / 8)][k][8],
 * with zeros in the columns that the last panel has too many.
 */
function definePack(module: ModuleBuilder): void {
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
  ): void;
  packPanels(n: number, k: number, b: number, rowBytes: number, columnBytes: number, to: number): void;
}

/** Floats of a packed matrix. */
export const packedLength = (n: number, k: number): number => Math.ceil(n / PANEL) * PANEL * k;

export const matmulSimd: SimdKernel<MatmulKernel, MatmulExports> = {
  name: 'matmul',
  summary: 'panels of 8 columns, tiles of 5 x 8 in registers, fenced unrolling',
  define: defineMatmul,
  bind: (exports, memory) => ({
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
        exports.matmul(
          m,
          n,
          k,
          rows.pointer,
          rows.rowBytes,
          data.byteOffset,
          added,
          bias === null ? 0 : PANEL_BYTES,
          ACTIVATIONS.indexOf(activation),
          accumulate ? 1 : 0,
          to.pointer,
          to.rowBytes,
          memory.push(6 * PANEL_BYTES),
          0,
        );
        returnOutput(memory, to, c, cOffset, m, n, cRowStride);
      } finally {
        memory.pop(mark);
      }
    },
  }),
};

/** A matrix [rows, columns] with any strides, in the kernels' memory. */
function placeMatrix(
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
function placeRows(
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
