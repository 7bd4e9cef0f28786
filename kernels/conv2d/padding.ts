/**
 * What stands before the arithmetic: a band of image rows with its padding spelled out, so that no inner loop
 * asks whether it is inside the image; and where in that band each output pixel looks.
 */
import {
  callValue,
  type FunctionBuilder,
  type FunctionReference,
  type Local,
  type ModuleBuilder,
} from '../wasm/assembler.js';
import { f32, f32x4, type I32, i32, v128 } from '../wasm/expression.js';

export interface PaddingExports {
  /**
   * Rows [firstRow, firstRow + rows) of the padded image to `to`, each `columns` pixels: row 0 and column 0 are
   * those of the image X [height, width], and `left` columns stand before column 0. `mirror` is 1 or 0.
   */
  conv2dPad(
    firstRow: number,
    rows: number,
    left: number,
    columns: number,
    x: number,
    height: number,
    width: number,
    pixelBytes: number,
    mirror: number,
    to: number,
  ): void;
  /** Byte offsets y · rowBytes + x · pixelBytes of rows · width pixels, to i32 `places`. */
  conv2dPlaces(rows: number, width: number, rowBytes: number, pixelBytes: number, places: number): void;
  /** 1 where all of `bytes` bytes of floats, a multiple of 16, are numbers and finite; otherwise 0. */
  conv2dFinite(from: number, bytes: number): number;
}

/** Adds the functions above; those of the gradient have another prefix, because a module exports a name once. */
export function definePadding(module: ModuleBuilder, prefix = 'conv2d'): void {
  definePad(module, `${prefix}Pad`, defineSource(module), defineCopy(module), defineClear(module));
  definePlaces(module, `${prefix}Places`);
  defineFinite(module, `${prefix}Finite`);
}

/** Adds `paddingSource`: the index in an axis of `length` that position i shows, or -1 where that is a zero. */
function defineSource(module: ModuleBuilder): FunctionReference {
  return module.functionOf(
    'paddingSource',
    { i: 'i32', length: 'i32', mirror: 'i32' },
    'i32',
    (f, { i, length, mirror }) => {
      const last = f.local(i32.sub(length, i32.const(1)));
      f.if(i32.and(i32.geS(i, i32.const(0)), i32.leS(i, last)), () => f.return(i));
      f.if(i32.eqz(mirror), () => f.return(i32.const(-1)));
      f.if(i32.eqz(last), () => f.return(last));
      // As reflectIndex: distance from 0, folded into one period, and back from its far end.
      const period = i32.shl(last, i32.const(1));
      f.if(i32.ltS(i, i32.const(0)), () => f.set(i, i32.sub(i32.const(0), i)));
      f.set(i, i32.remS(i, period));
      return i32.select(i, i32.sub(period, i), i32.leS(i, last));
    },
    false,
  );
}

/** Runs `vector` for every 16 bytes before `end`, and `single` for every 4 that are left. */
function inVectors(
  f: FunctionBuilder,
  to: Local<'i32'>,
  end: I32,
  vector: () => void,
  single: () => void,
): void {
  f.while(i32.leS(to, i32.sub(end, i32.const(16))), vector);
  f.while(i32.ltS(to, end), single);
}

function defineCopy(module: ModuleBuilder): FunctionReference {
  return module.function(
    'paddingCopy',
    { from: 'i32', to: 'i32', bytes: 'i32' },
    (f, { from, to, bytes }) => {
      const end = f.local(i32.add(to, bytes));
      const copy = (bytesEach: number) => () => {
        f.store(to, bytesEach === 16 ? f32x4.load(from) : f32.load(from));
        f.increase(from, bytesEach);
        f.increase(to, bytesEach);
      };
      inVectors(f, to, end, copy(16), copy(4));
    },
    false,
  );
}

function defineClear(module: ModuleBuilder): FunctionReference {
  return module.function(
    'paddingClear',
    { to: 'i32', bytes: 'i32' },
    (f, { to, bytes }) => {
      const end = f.local(i32.add(to, bytes));
      const clear = (bytesEach: number) => () => {
        f.store(to, bytesEach === 16 ? f32x4.constSplat(0) : f32.const(0));
        f.increase(to, bytesEach);
      };
      inVectors(f, to, end, clear(16), clear(4));
    },
    false,
  );
}

function definePad(
  module: ModuleBuilder,
  name: string,
  source: FunctionReference,
  copy: FunctionReference,
  clear: FunctionReference,
): void {
  module.function(
    name,
    {
      firstRow: 'i32',
      rows: 'i32',
      left: 'i32',
      columns: 'i32',
      x: 'i32',
      height: 'i32',
      width: 'i32',
      pixelBytes: 'i32',
      mirror: 'i32',
      to: 'i32',
    },
    (f, p) => {
      const [row, seen] = [f.declare('i32'), f.declare('i32')];
      const j = f.declare('i32');
      const [lastRow, rowBytes] = [
        f.local(i32.add(p.firstRow, p.rows)),
        f.local(i32.mul(p.width, p.pixelBytes)),
      ];
      /** Pixels from column j on, up to column `below` of the padded row, one by one. */
      const pixels = (from: I32, below: I32) =>
        f.for(j, from, below, 1, () => {
          f.set(seen, callValue('i32', source, i32.sub(j, p.left), p.width, p.mirror));
          f.if(
            i32.ltS(seen, i32.const(0)),
            () => f.call(clear, p.to, p.pixelBytes),
            () => f.call(copy, i32.add(row, i32.mul(seen, p.pixelBytes)), p.to, p.pixelBytes),
          );
          f.increase(p.to, p.pixelBytes);
        });
      f.while(i32.ltS(p.firstRow, lastRow), () => {
        f.set(row, callValue('i32', source, p.firstRow, p.height, p.mirror));
        f.if(
          i32.ltS(row, i32.const(0)),
          () => {
            f.call(clear, p.to, i32.mul(p.columns, p.pixelBytes));
            f.increase(p.to, i32.mul(p.columns, p.pixelBytes));
          },
          () => {
            f.set(row, i32.add(p.x, i32.mul(row, rowBytes)));
            pixels(i32.const(0), p.left);
            f.call(copy, row, p.to, rowBytes);
            f.increase(p.to, rowBytes);
            pixels(i32.add(p.left, p.width), p.columns);
          },
        );
        f.increase(p.firstRow, 1);
      });
    },
  );
}

function definePlaces(module: ModuleBuilder, name: string): void {
  module.function(
    name,
    { rows: 'i32', width: 'i32', rowBytes: 'i32', pixelBytes: 'i32', places: 'i32' },
    (f, { rows, width, rowBytes, pixelBytes, places }) => {
      const [row, pixel, column] = [f.local(i32.const(0)), f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.set(pixel, row);
        f.for(column, i32.const(0), width, 1, () => {
          f.store(places, pixel);
          f.increase(places, 4);
          f.increase(pixel, pixelBytes);
        });
        f.increase(row, rowBytes);
        f.increase(rows, -1);
      });
    },
  );
}

function defineFinite(module: ModuleBuilder, name: string): void {
  module.functionOf(name, { from: 'i32', bytes: 'i32' }, 'i32', (f, { from, bytes }) => {
    const end = f.local(i32.add(from, bytes));
    const seen = f.local(f32x4.constSplat(0));
    const x = f.declare('v128');
    f.while(i32.ltS(from, end), () => {
      // x - x is +0, whose bits are zeros, unless x is infinite or NaN.
      f.set(x, f32x4.load(from));
      f.set(seen, v128.or(seen, f32x4.sub(x, x)));
      f.increase(from, 16);
    });
    return i32.eqz(v128.anyTrue(seen));
  });
}
