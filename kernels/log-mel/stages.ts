/** The steps of the SIMD front end, each a loop over one group of four frames; simd.ts says how they follow. */
import { COMPLEX_BYTES } from '../fourier/lanes.js';
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32, type V128, v128 } from '../wasm/expression.js';
import { log } from '../wasm/math.js';
import type { Arithmetic } from '../wasm/runtime.js';
import { DECIBEL_FLOOR, type LogMelSettings, MAGNITUDE_EPSILON } from './reference.js';
import { BAND_STEP, LANES, LANES_BYTES } from './tables.js';

const IMAGINARY = COMPLEX_BYTES / 2;
const constant = (value: number): V128 => f32x4.constSplat(value);

/** Rows of a 4 x 4 matrix to its columns. */
function transpose([a, b, c, d]: readonly V128[], local: (x: V128) => V128): V128[] {
  const [ab, cd] = [local(f32x4.shuffle(a!, b!, [0, 4, 1, 5])), local(f32x4.shuffle(c!, d!, [0, 4, 1, 5]))];
  const [ab2, cd2] = [local(f32x4.shuffle(a!, b!, [2, 6, 3, 7])), local(f32x4.shuffle(c!, d!, [2, 6, 3, 7]))];
  return [
    f32x4.shuffle(ab, cd, [0, 1, 4, 5]),
    f32x4.shuffle(ab, cd, [2, 3, 6, 7]),
    f32x4.shuffle(ab2, cd2, [0, 1, 4, 5]),
    f32x4.shuffle(ab2, cd2, [2, 3, 6, 7]),
  ];
}

/** Adds `logMelWindow`: `windowBytes` of samples of four frames, weighted, to z. */
export const defineWindow = (module: ModuleBuilder): FunctionReference =>
  module.function(
    'logMelWindow',
    { x0: 'i32', x1: 'i32', x2: 'i32', x3: 'i32', window: 'i32', windowBytes: 'i32', z: 'i32' },
    (f, { x0, x1, x2, x3, window, windowBytes, z }) => {
      const end = f.local(i32.add(window, windowBytes));
      f.while(i32.ltS(window, end), () => {
        const weights = f.local(f32x4.load(window));
        const rows = [x0, x1, x2, x3].map((x) => f.local(f32x4.mul(f32x4.load(x), weights)));
        transpose(rows, (x) => f.local(x)).forEach((column, n) => {
          f.store(z, column, LANES_BYTES * n);
        });
        for (const pointer of [x0, x1, x2, x3, window]) f.increase(pointer, 16);
        f.increase(z, 2 * COMPLEX_BYTES);
      });
    },
    false,
  );

/**
 * Adds `logMelSpectrum`: S[k] = |X[k]|² or |X[k]| of the real signal x from Z, the transform of x[2n] + i x[2n+1].
 * With E = Z[k] + conj Z[h - k] and O = -i (Z[k] - conj Z[h - k]), the transforms of its even and odd samples twice,
 *
 *   2 X[k] = E + exp(-2πi k / 2h) O,  2 X[h - k] = conj(E - exp(-2πi k / 2h) O),  k = 0 .. floor(h / 2)
 *
 * and Z[h] = Z[0]; the window holds the half. Bins past the last are zeros, because bands end at a multiple of 4.
 */
export const defineSpectrum = (module: ModuleBuilder, { madd, nmadd }: Arithmetic): FunctionReference =>
  module.function(
    'logMelSpectrum',
    { z: 'i32', half: 'i32', split: 'i32', spectrum: 'i32', magnitude: 'i32' },
    (f, { z, half, split, spectrum, magnitude }) => {
      const mirrored = f.local(i32.add(z, i32.mul(half, i32.const(COMPLEX_BYTES))));
      const low = f.local(spectrum);
      const high = f.local(i32.add(spectrum, i32.mul(half, i32.const(LANES_BYTES))));
      for (const part of [0, IMAGINARY]) f.store(mirrored, f32x4.load(z, part), part);
      for (let i = 1; i < BAND_STEP; i++) f.store(high, constant(0), LANES_BYTES * i);

      const loop = (level: (power: V128) => V128): void => {
        f.while(i32.leS(low, high), () => {
          const [re, im] = [f.local(f32x4.load(z)), f.local(f32x4.load(z, IMAGINARY))];
          const mirroredRe = f.local(f32x4.load(mirrored));
          const mirroredIm = f.local(f32x4.load(mirrored, IMAGINARY));
          const [evenRe, evenIm] = [f.local(f32x4.add(re, mirroredRe)), f.local(f32x4.sub(im, mirroredIm))];
          const [oddRe, oddIm] = [f.local(f32x4.add(im, mirroredIm)), f.local(f32x4.sub(mirroredRe, re))];
          const [cos, sin] = [f.local(f32x4.loadSplat(split)), f.local(f32x4.loadSplat(split, 4))];
          const turnedRe = f.local(nmadd(sin, oddIm, f32x4.mul(cos, oddRe)));
          const turnedIm = f.local(madd(sin, oddRe, f32x4.mul(cos, oddIm)));
          const store = (to: I32, combine: (a: V128, b: V128) => V128) => {
            const [a, b] = [f.local(combine(evenRe, turnedRe)), f.local(combine(evenIm, turnedIm))];
            f.store(to, level(madd(a, a, f32x4.mul(b, b))));
          };
          store(low, f32x4.add);
          store(high, f32x4.sub);
          f.increase(z, COMPLEX_BYTES);
          f.increase(mirrored, -COMPLEX_BYTES);
          f.increase(split, 8);
          f.increase(low, LANES_BYTES);
          f.increase(high, -LANES_BYTES);
        });
      };
      f.if(
        magnitude,
        () => loop((power) => f32x4.sqrt(f32x4.add(power, constant(MAGNITUDE_EPSILON)))),
        () => loop((power) => power),
      );
    },
    false,
  );

/** Adds `logMelBands`: the sum over each filter's band, to sums [mels]. Two sums each, for even and odd bins. */
export const defineBands = (module: ModuleBuilder, { madd }: Arithmetic): FunctionReference =>
  module.function(
    'logMelBands',
    { mels: 'i32', bands: 'i32', spectrum: 'i32', sums: 'i32' },
    (f, { mels, bands, spectrum, sums }) => {
      const [at, end] = [f.declare('i32'), f.declare('i32')];
      const [even, odd] = [f.declare('v128'), f.declare('v128')];
      f.while(i32.gtS(mels, i32.const(0)), () => {
        f.set(at, i32.add(spectrum, i32.load(bands)));
        f.set(end, i32.add(at, i32.load(bands, 4)));
        f.increase(bands, 8);
        f.set(even, constant(0));
        f.set(odd, constant(0));
        f.while(i32.ltS(at, end), () => {
          for (let i = 0; i < BAND_STEP; i++) {
            const sum = i % 2 === 0 ? even : odd;
            f.set(sum, madd(f32x4.loadSplat(bands, 4 * i), f32x4.load(at, LANES_BYTES * i), sum));
          }
          f.increase(at, LANES_BYTES * BAND_STEP);
          f.increase(bands, 4 * BAND_STEP);
        });
        f.store(sums, f32x4.add(even, odd));
        f.increase(sums, LANES_BYTES);
        f.increase(mels, -1);
      });
    },
    false,
  );

/** Compressions by number, as the functions take them. */
export const COMPRESSIONS: readonly LogMelSettings['compression'][] = ['none', 'decibel', 'log1p'];

/**
 * Adds `logMelCompress`: the logarithm of sums [mels] in place, two at a time, because one waits for its own results
 * most of the time; after an odd number comes one that nobody reads. What is infinite or NaN stays.
 */
export const defineCompress = (module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference =>
  module.function(
    'logMelCompress',
    { mels: 'i32', sums: 'i32', compression: 'i32' },
    (f, { mels, sums, compression }) => {
      const each = (compress: (sum: V128) => V128): void => {
        f.while(i32.gtS(mels, i32.const(0)), () => {
          const pair = [0, LANES_BYTES].map((offset) => f.local(f32x4.load(sums, offset)));
          const results = pair.map((sum) =>
            v128.bitselect(compress(sum), sum, f32x4.lt(sum, constant(Infinity))),
          );
          results.forEach((result, i) => {
            f.store(sums, result, LANES_BYTES * i);
          });
          f.increase(sums, 2 * LANES_BYTES);
          f.increase(mels, -2);
        });
      };
      f.if(
        i32.eq(compression, i32.const(COMPRESSIONS.indexOf('decibel'))),
        () =>
          each((sum) =>
            f32x4.mul(constant(10 / Math.LN10), log(f, arithmetic, f32x4.pmax(sum, constant(DECIBEL_FLOOR)))),
          ),
        () =>
          // 1 + s rounds; what it lost comes back as the first term of the series: Higham 2002, problem 1.5.
          each((sum) => {
            const shifted = f.local(f32x4.add(sum, constant(1)));
            const lost = f32x4.sub(sum, f32x4.sub(shifted, constant(1)));
            return f32x4.add(log(f, arithmetic, shifted), f32x4.div(lost, shifted));
          }),
      );
    },
    false,
  );

/** Adds `logMelRows`: sums [mels] of four lanes to a row of Y for each. */
export const defineRows = (module: ModuleBuilder): FunctionReference =>
  module.function(
    'logMelRows',
    { mels: 'i32', sums: 'i32', y0: 'i32', y1: 'i32', y2: 'i32', y3: 'i32' },
    (f, { mels, sums, y0, y1, y2, y3 }) => {
      const rows = [y0, y1, y2, y3];
      f.while(i32.geS(mels, i32.const(LANES)), () => {
        const columns = rows.map((_, m) => f.local(f32x4.load(sums, LANES_BYTES * m)));
        transpose(columns, (x) => f.local(x)).forEach((row, t) => {
          f.store(rows[t]!, row);
          f.increase(rows[t]!, 16);
        });
        f.increase(sums, LANES_BYTES * LANES);
        f.increase(mels, -LANES);
      });
      f.while(i32.gtS(mels, i32.const(0)), () => {
        const column = f.local(f32x4.load(sums));
        rows.forEach((row, t) => {
          f.store(row, f32x4.extractLane(column, t));
          f.increase(row, 4);
        });
        f.increase(sums, LANES_BYTES);
        f.increase(mels, -1);
      });
    },
    false,
  );
