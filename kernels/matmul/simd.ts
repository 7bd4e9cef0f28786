/**
 * Matrix product with WebAssembly SIMD.
 *
 * B lies in panels of 8 columns, [ceil(n / 8)][k][8], so that a step of the inner loop reads two vectors one
 * after the other. A tile of C, up to 4 rows by 8 columns, stays in registers while the loop runs over k: per
 * step it does 8 vector multiply-adds for 2 loads of B and 4 of A. Panels are the outer loop: one is read from
 * memory once and then stays in the first-level cache. A single row takes four panels side by side instead.
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

/** Most rows of a tile: with 8 columns its sums take 8 of the 15 vector registers that V8 has to give. */
export const MOST_ROWS = 4;

/** How a tile of so many rows is computed. */
interface TilePlan {
  /** Sums that a tile of few rows keeps per element, so that additions do not wait for one another. */
  readonly chains: number;
  /** Steps of k in one turn of the loop. V8 unrolls short loops itself, and better than we can. */
  readonly unroll: number;
}

function plan(rows: number, fused: boolean): TilePlan {
  if (rows === 1) return { chains: 2, unroll: 4 };
  if (rows === 2) return fused ? { chains: 2, unroll: 4 } : { chains: 1, unroll: 2 };
  return { chains: 1, unroll: 1 };
}

const TILE_PARAMETERS = {
  k: 'i32',
  a: 'i32',
  aRowBytes: 'i32',
  b: 'i32',
  bias: 'i32',
  c: 'i32',
  cRowBytes: 'i32',
  accumulate: 'i32',
} as const;

/**
 * Adds `tile<rows>`: rows of A [rows, k] times one panel [k, 8], plus 8 numbers of bias, to or onto C [rows, 8].
 */
export function defineTile(module: ModuleBuilder, arithmetic: Arithmetic, rows: number): FunctionReference {
  const { chains, unroll } = plan(rows, arithmetic.fused);
  return module.shared(
    `tile${rows}`,
    TILE_PARAMETERS,
    (f, { k, a, aRowBytes, b, bias, c, cRowBytes, accumulate }) => {
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
      if (unroll > 1) {
        f.while(i32.ltS(b, end), () => {
          step(0);
          advance(1);
        });
      }

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
  );
}

/** Panels that a single row takes at once. */
const ROW_PANELS = 4;

/**
 * Adds `row`: one row of A times four panels, to or onto 32 elements of C. A step does 8 multiply-adds for one
 * number of A, and reads B in four streams, as fast as the caches give it.
 */
function defineRow(module: ModuleBuilder, { madd }: Arithmetic): FunctionReference {
  return module.function(
    'row',
    { k: 'i32', a: 'i32', b: 'i32', bias: 'i32', biasBytes: 'i32', c: 'i32', accumulate: 'i32' },
    (f, { k, a, b, bias, biasBytes, c, accumulate }) => {
      const panelBytes = f.local(i32.mul(k, i32.const(PANEL_BYTES)));
      const panels = Array.from({ length: ROW_PANELS }, (_, at) =>
        at === 0 ? b : f.local(i32.add(b, i32.mul(panelBytes, i32.const(at)))),
      );
      const sums = panels.map((_, at) => {
        const from = i32.add(bias, i32.mul(biasBytes, i32.const(at)));
        return [0, 16].map((half) => f.local(f32x4.load(from, half)));
      });
      f.if(accumulate, () => {
        sums.flat().forEach((sum, at) => {
          f.set(sum, f32x4.add(sum, f32x4.load(c, 16 * at)));
        });
      });
      const x = f.declare('v128');
      const end = f.local(i32.add(b, panelBytes));
      f.while(i32.ltS(b, end), () => {
        f.set(x, f32x4.loadSplat(a));
        panels.forEach((panel, at) => {
          sums[at]!.forEach((sum, half) => {
            f.set(sum, madd(x, f32x4.load(panel, 16 * half), sum));
          });
        });
        f.increase(a, 4);
        for (const panel of panels) f.increase(panel, PANEL_BYTES);
      });
      sums.flat().forEach((sum, at) => {
        f.store(c, sum, 16 * at);
      });
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

/** Adds `copyTile`: [rows, columns] from one place to another. */
function defineCopy(module: ModuleBuilder): FunctionReference {
  return module.function(
    'copyTile',
    { rows: 'i32', columns: 'i32', from: 'i32', fromRowBytes: 'i32', to: 'i32', toRowBytes: 'i32' },
    (f, { rows, columns, from, fromRowBytes, to, toRowBytes }) => {
      const j = f.declare('i32');
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.for(j, i32.const(0), i32.shl(columns, i32.const(2)), 4, () => {
          f.store(i32.add(to, j), f32.load(i32.add(from, j)));
        });
        f.increase(from, fromRowBytes);
        f.increase(to, toRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/** Adds the functions of the kernel. */
export function defineMatmul(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const tiles = Array.from({ length: MOST_ROWS }, (_, r) => defineTile(module, arithmetic, r + 1));
  const row = defineRow(module, arithmetic);
  const activate = defineActivate(module, arithmetic);
  const copy = defineCopy(module);
  definePack(module);

  // C [m, columns]; `spare` holds a tile.
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
    },
    (f, p) => {
      const { k, a, aRowBytes, b, bias, biasBytes, activation, accumulate, c, cRowBytes, spare } = p;
      const advance = (panels: number): void => {
        f.increase(b, i32.mul(k, i32.const(PANEL_BYTES * panels)));
        f.increase(bias, i32.mul(biasBytes, i32.const(panels)));
        f.increase(c, PANEL_BYTES * panels);
        f.increase(p.columns, -PANEL * panels);
      };
      const several = i32.const(PANEL * ROW_PANELS);
      f.while(i32.and(i32.eq(p.m, i32.const(1)), i32.geS(p.columns, several)), () => {
        f.call(row, k, a, b, bias, biasBytes, c, accumulate);
        f.if(activation, () =>
          f.call(activate, activation, i32.const(ROW_PANELS), c, i32.const(PANEL_BYTES)),
        );
        advance(ROW_PANELS);
      });

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
          branchOn(f, rows, (r) => {
            f.call(tiles[r - 1]!, k, aRow, aRowBytes, b, bias, to, toRowBytes, accumulate);
          });
          f.if(activation, () => f.call(activate, activation, rows, to, toRowBytes));
          f.if(i32.eqz(full), () => {
            f.call(copy, rows, p.columns, spare, i32.const(PANEL_BYTES), cRow, cRowBytes);
          });
          f.increase(aRow, i32.mul(rows, aRowBytes));
          f.increase(cRow, i32.mul(rows, cRowBytes));
          f.set(left, i32.sub(left, rows));
        });
        advance(1);
      });
    },
  );
}

/** Runs `body(r)` for the r that `rows` is; the largest first, because it is the most frequent. */
export function branchOn(f: FunctionBuilder, rows: I32, body: (rows: number) => void): void {
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
  branch(MOST_ROWS);
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
  ): void;
  packPanels(n: number, k: number, b: number, rowBytes: number, columnBytes: number, to: number): void;
}

/** Floats of a packed matrix. */
export const packedLength = (n: number, k: number): number => Math.ceil(n / PANEL) * PANEL * k;

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
