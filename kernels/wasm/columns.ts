/**
 * Sums down the columns of matrices. A few rows at a time are added in float32, four columns in a vector, and what
 * that gives goes to float64 totals: the float32 sums are short, so the result has the digits of a float64 sum, and
 * conversions cost one eighth of what they would cost for each number.
 */
import type { FunctionReference, Local, ModuleBuilder } from './assembler.js';
import { f32x4, f64x2, i32, type V128, v128 } from './expression.js';
import { storeLanes, VECTOR, walkRow } from './rows.js';

/** Rows that are added in float32, and of the rest one after another. */
const TILES = [8, 1] as const;
/** Bytes of the totals of four columns. */
const FOUR_TOTALS = 32;

type Locals<T extends 'i32' | 'v128'> = readonly Local<T>[];

/** What sums are made of. */
export interface ColumnTotals {
  /** Matrices [rows, columns]. */
  readonly matrices: number;
  /** Vectors [columns]. */
  readonly vectors?: number;
  /** Numbers that each row has, [rows, perRow] without gaps. */
  readonly perRow?: number;
  /** Sums of each column. */
  readonly totals: number;
  /** What a row adds to each total. */
  readonly terms: (
    matrices: Locals<'v128'>,
    vectors: Locals<'v128'>,
    perRow: readonly V128[],
  ) => readonly V128[];
}

/** Bytes of one total for each of `columns` columns: they are written in fours. */
export const totalBytes = (columns: number): number => 8 * (columns + 3);

const named = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}${i}`);
const integers = (...names: string[]): Record<string, 'i32'> =>
  Object.fromEntries(names.map((name) => [name, 'i32'] as const));

/**
 * Adds `name`, which stays inside the module: totals = Σ of terms over all rows. Operands: rows, columns, each matrix
 * and its bytes from row to row, each vector, the numbers of the rows where there are some, each total.
 */
export function defineColumnTotals(
  module: ModuleBuilder,
  name: string,
  { matrices, vectors = 0, perRow = 0, totals, terms }: ColumnTotals,
): FunctionReference {
  const matrixNames = named('matrix', matrices);
  const operands = {
    matrices: matrixNames.flatMap((matrix) => [matrix, `${matrix}RowBytes`]),
    vectors: named('vector', vectors),
    perRow: perRow > 0 ? ['perRow'] : [],
    totals: named('total', totals),
  };
  const parameters = integers('columns', ...Object.values(operands).flat());

  const tile = (rows: number): FunctionReference =>
    module.function(
      `${name}${rows}`,
      parameters,
      (f, p) => {
        // One pointer per matrix that goes down the rows: one for each row would be more than there are registers.
        const down = matrixNames.map(() => f.declare('i32'));
        // Loaded where they are used, for the same reason.
        const ofRow = (r: number): V128[] =>
          Array.from({ length: perRow }, (_, i) => f32x4.loadSplat(p['perRow'], 4 * (r * perRow + i)));
        const values = matrixNames.map(() => f.declare('v128'));
        const ofColumns = operands.vectors.map(() => f.declare('v128'));
        const sums = operands.totals.map(() => f.declare('v128'));
        // Columns past the last one are summed too: their totals are nobody's.
        const four = () => {
          operands.vectors.forEach((vector, i) => {
            f.set(ofColumns[i], f32x4.load(p[vector]));
          });
          for (let r = 0; r < rows; r++) {
            matrixNames.forEach((matrix, m) => {
              f.set(down[m], r === 0 ? p[matrix] : i32.add(down[m], p[`${matrix}RowBytes`]));
              f.set(values[m], f32x4.load(down[m]));
            });
            terms(values, ofColumns, ofRow(r)).forEach((term, i) => {
              f.set(sums[i], r === 0 ? term : f32x4.add(sums[i], term));
            });
          }
          operands.totals.forEach((total, i) => {
            const high = f32x4.shuffle(sums[i], sums[i], [2, 3, 2, 3]);
            f.store(p[total], f64x2.add(v128.load(p[total]), f64x2.promoteLowF32x4(sums[i])));
            f.store(p[total], f64x2.add(v128.load(p[total], VECTOR), f64x2.promoteLowF32x4(high)), VECTOR);
            f.increase(p[total], FOUR_TOTALS);
          });
        };
        const along = [...matrixNames, ...operands.vectors].map((each) => p[each]);
        walkRow(f, p['columns'], along, 1, four, four);
      },
      false,
    );

  const tiles = TILES.map((rows) => ({ rows, run: tile(rows) }));
  return module.function(
    name,
    integers('rows', ...Object.keys(parameters)),
    (f, p) => {
      for (const total of operands.totals) {
        const to = f.local(p[total]);
        const left = f.local(p['columns']);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.store(to, f64x2.constSplat(0));
          f.store(to, f64x2.constSplat(0), VECTOR);
          f.increase(to, FOUR_TOTALS);
          f.increase(left, -4);
        });
      }
      for (const { rows, run } of tiles) {
        f.while(i32.geS(p['rows'], i32.const(rows)), () => {
          f.call(run, ...Object.keys(parameters).map((parameter) => p[parameter]));
          for (const matrix of matrixNames) {
            f.increase(p[matrix], i32.mul(p[`${matrix}RowBytes`], i32.const(rows)));
          }
          if (perRow > 0) f.increase(p['perRow'], 4 * rows * perRow);
          f.increase(p['rows'], -rows);
        });
      }
    },
    false,
  );
}

/** The four totals at `total` as float32. */
export function loadTotals(total: Local<'i32'>): V128 {
  const low = f32x4.demoteF64x2Zero(v128.load(total));
  return f32x4.shuffle(low, f32x4.demoteF64x2Zero(v128.load(total, VECTOR)), [0, 1, 4, 5]);
}

/** Adds `storeTotals`: to[c] = total[c], or added to what is there. */
export function defineStoreTotals(module: ModuleBuilder): FunctionReference {
  return module.shared(
    'storeTotals',
    { columns: 'i32', accumulate: 'i32', total: 'i32', to: 'i32' },
    (f, { columns, accumulate, total, to }) => {
      const value = f.declare('v128');
      const four = () => {
        f.set(value, loadTotals(total));
        f.if(accumulate, () => f.set(value, f32x4.add(value, f32x4.load(to))));
        f.increase(total, FOUR_TOTALS);
      };
      walkRow(
        f,
        columns,
        [to],
        1,
        () => {
          four();
          f.store(to, value);
        },
        (count) => {
          four();
          storeLanes(f, to, value, count);
        },
      );
    },
  );
}
