/**
 * From scores to codewords: what a bound can't rule out is compared, first in float32, and what that can't tell apart
 * in float64, feature after feature as the reference does.
 */
import { callValue, type FunctionReference, type Local, type ModuleBuilder } from '../wasm/assembler.js';
import { type F32, f32, f32x4, f64, type I32, i32, i32x4, type V128, v128 } from '../wasm/expression.js';
import { STATE } from './layout.js';
import { defineDistance, defineRoughDistance, defineSubtract } from './vectors.js';

/** Scores are read 16 at a time; rows of them are that long, with infinities behind. */
export const SCORES = 16;

/** Adds `lowestScore` of a row. */
function defineLowest(module: ModuleBuilder): FunctionReference {
  return module.functionOf(
    'lowestScore',
    { row: 'i32', bytes: 'i32' },
    'f32',
    (f, { row, bytes }) => {
      const end = f.local(i32.add(row, bytes));
      const lowest = Array.from({ length: 4 }, () => f.local(f32x4.constSplat(Infinity)));
      f.while(i32.ltS(row, end), () => {
        lowest.forEach((four, i) => {
          f.set(four, f32x4.pmin(four, f32x4.load(row, 16 * i)));
        });
        f.increase(row, 4 * SCORES);
      });
      const [a, b, c, d] = lowest as [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
      const four = f.local(f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d)));
      const lane = (i: number) => f32x4.extractLane(four, i);
      return f32.min(f32.min(lane(0), lane(1)), f32.min(lane(2), lane(3)));
    },
    false,
  );
}

/**
 * Adds `listWithin`: v of the scores that are at most `limit`, in order, to a list; all where it is no number. It
 * looks no further than where it has `enough`.
 */
function defineList(module: ModuleBuilder): FunctionReference {
  return module.functionOf(
    'listWithin',
    { row: 'i32', bytes: 'i32', codewords: 'i32', limit: 'f32', list: 'i32', enough: 'i32' },
    'i32',
    (f, { row, bytes, codewords, limit, list, enough }) => {
      const [first, v] = [f.local(list), f.local(i32.const(0))];
      const full = f.local(i32.add(list, i32.shl(enough, i32.const(2))));
      const append = (value: I32) => {
        f.store(list, value);
        f.increase(list, 4);
      };
      f.if(
        f32.lt(limit, f32.const(Infinity)),
        () => {
          const end = f.local(i32.add(row, bytes));
          const within = Array.from({ length: 4 }, () => f.declare('v128'));
          const bits = f.declare('i32');
          f.while(i32.and(i32.ltS(row, end), i32.ltS(list, full)), () => {
            within.forEach((four, i) => {
              f.set(four, f32x4.le(f32x4.load(row, 16 * i), f32x4.splat(limit)));
            });
            const any = within.reduce<V128>((x, y) => v128.or(x, y), f32x4.constSplat(0));
            f.if(v128.anyTrue(any), () => {
              f.set(
                bits,
                within
                  .map((four, i) => i32.shl(i32x4.bitmask(four), i32.const(4 * i)))
                  .reduce((x, y) => i32.or(x, y)),
              );
              f.while(bits, () => {
                append(i32.add(v, i32.ctz(bits)));
                f.set(bits, i32.and(bits, i32.sub(bits, i32.const(1))));
              });
            });
            f.increase(row, 4 * SCORES);
            f.increase(v, SCORES);
          });
        },
        () => {
          f.while(i32.ltS(v, codewords), () => {
            append(v);
            f.increase(v, 1);
          });
        },
      );
      return i32.shrU(i32.sub(list, first), i32.const(2));
    },
    false,
  );
}

const FRAME = {
  bytes: 'i32',
  codewords: 'i32',
  r: 'i32',
  words: 'i32',
  scores: 'i32',
  scoresBytes: 'i32',
  state: 'i32',
  list: 'i32',
  distances: 'i32',
  slack: 'f32',
  bounds: 'i32',
} as const;

/** The bound above which no codeword is nearer than one at |r - c|² = `square`, (square - R²) / 2 and a margin. */
const limitOf = (square: F32, slack: F32, state: I32): F32 => {
  const score = f32.mul(f32.sub(f32.mul(square, slack), f32.load(state, STATE.square)), f32.const(0.5));
  return f32.add(score, f32.load(state, STATE.margin));
};

/**
 * Adds `nearestOf`: of a list the codeword at the smallest distance, the lowest of equals. Each distance may show that
 * bounds further on in the list are too high.
 */
function defineNearest(module: ModuleBuilder, rough: FunctionReference): FunctionReference {
  const distance = defineDistance(module);
  return module.functionOf(
    'nearestOf',
    { ...FRAME, count: 'i32' },
    'i32',
    (f, { count, list, distances, bytes, r, words, slack, scores, state, bounds }) => {
      const i = f.declare('i32');
      const v = i32.load(i32.add(list, i));
      const word = i32.add(words, i32.mul(v, bytes));
      const end = f.local(i32.shl(count, i32.const(2)));
      const [least, limit] = [f.local(f32.const(Infinity)), f.local(f32.const(Infinity))];
      const [d, compared] = [f.declare('f32'), f.local(i32.const(0))];
      f.for(i, i32.const(0), end, 4, () => {
        f.set(d, f32.const(Infinity));
        f.if(i32.eqz(f32.gt(f32.load(i32.add(scores, i32.shl(v, i32.const(2)))), limit)), () => {
          f.set(d, callValue('f32', rough, bytes, r, word));
          f.increase(compared, 1);
          f.if(f32.lt(d, least), () => {
            f.set(least, d);
            f.if(bounds, () => f.set(limit, limitOf(d, slack, state)));
          });
        });
        f.store(i32.add(distances, i), d);
      });
      f.store(state, compared, STATE.compared);

      // Squares below 2⁻¹⁴⁹ are lost, hence the constant; a distance that is no number stays in.
      f.set(limit, f32.add(f32.mul(least, slack), f32.const(2 ** -100)));
      const near = i32.eqz(f32.gt(f32.load(i32.add(distances, i)), limit));
      const [best, close] = [f.local(i32.const(0)), f.local(i32.const(0))];
      f.for(i, i32.const(0), end, 4, () => {
        f.if(near, () => {
          f.set(best, v);
          f.increase(close, 1);
        });
      });
      f.if(i32.gtS(close, i32.const(1)), () => {
        const [exact, lowest] = [f.declare('f64'), f.local(f64.const(Infinity))];
        f.set(best, i32.const(0));
        f.for(i, i32.const(0), end, 4, () => {
          f.if(near, () => {
            f.set(exact, callValue('f64', distance, bytes, r, word));
            f.if(f64.lt(exact, lowest), () => {
              f.set(lowest, exact);
              f.set(best, v);
            });
          });
        });
      });
      return best;
    },
    false,
  );
}

/**
 * Adds `listCandidates`: the codewords that may be nearest. With whole scores those within the margin of the lowest.
 * Where scores are lower `bounds`, the codeword of the lowest bound is tried, and those stay whose bound is
 * below its score, (|r - c|² - R²) / 2.
 */
function defineCandidates(module: ModuleBuilder, rough: FunctionReference): FunctionReference {
  const lowest = defineLowest(module);
  const list = defineList(module);
  return module.functionOf(
    'listCandidates',
    FRAME,
    'i32',
    (f, p) => {
      const within = (limit: F32, enough: I32) =>
        callValue('i32', list, p.scores, p.scoresBytes, p.codewords, limit, p.list, enough);
      const limit = f.local(callValue('f32', lowest, p.scores, p.scoresBytes));
      f.if(
        p.bounds,
        () => {
          // No score is a number: any codeword will do, as the margin is none either.
          f.if(i32.eqz(f.local(within(limit, i32.const(1)))), () => f.store(p.list, i32.const(0)));
          const tried = i32.add(p.words, i32.mul(i32.load(p.list), p.bytes));
          f.set(limit, limitOf(callValue('f32', rough, p.bytes, p.r, tried), p.slack, p.state));
        },
        () => f.set(limit, f32.add(limit, f32.load(p.state, STATE.margin))),
      );
      return within(limit, p.codewords);
    },
    false,
  );
}

/**
 * Adds `chooseCodewords`: indices of frames from their scores, the residuals that they leave, and the leading
 * coordinates y of these where `shiftBytes` is not 0. Gives the number of codewords that were left to compare.
 */
export function defineChoose(module: ModuleBuilder): void {
  const rough = defineRoughDistance(module);
  const candidates = defineCandidates(module, rough);
  const nearest = defineNearest(module, rough);
  const subtract = defineSubtract(module);
  const choose = module.functionOf(
    'chooseCodeword',
    { ...FRAME, index: 'i32' },
    'i32',
    (f, p) => {
      const { bytes, codewords, r, words, scores, scoresBytes, state, list, distances, slack, bounds } = p;
      const frame = [bytes, codewords, r, words, scores, scoresBytes, state, list, distances, slack, bounds];
      const count = f.local(callValue('i32', candidates, ...frame));
      const best = f.local(i32.load(list));
      f.if(i32.ne(count, i32.const(1)), () => {
        f.set(best, callValue('i32', nearest, ...frame, count));
        f.set(count, i32.load(state, STATE.compared));
      });
      f.store(p.index, best);
      return count;
    },
    false,
  );
  module.functionOf(
    'chooseCodewords',
    {
      frames: 'i32',
      rowBytes: 'i32',
      ...FRAME,
      indices: 'i32',
      indicesBytes: 'i32',
      y: 'i32',
      yBytes: 'i32',
      shifts: 'i32',
      shiftBytes: 'i32',
    },
    'i32',
    (f, p) => {
      const { bytes, codewords, words, scoresBytes, list, distances, slack, bounds } = p;
      const [left, row, scores, state, index] = [p.frames, p.r, p.scores, p.state, p.indices].map((start) =>
        f.local(start),
      ) as [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];
      const total = f.local(i32.const(0));
      f.while(left, () => {
        const frame = [
          bytes,
          codewords,
          row,
          words,
          scores,
          scoresBytes,
          state,
          list,
          distances,
          slack,
          bounds,
        ];
        f.set(total, i32.add(total, callValue('i32', choose, ...frame, index)));
        f.increase(row, p.rowBytes);
        f.increase(scores, scoresBytes);
        f.increase(state, STATE.bytes);
        f.increase(index, p.indicesBytes);
        f.increase(left, -1);
      });
      // Apart from the search: reads of codewords that are in no cache overlap.
      f.set(left, p.frames);
      f.set(row, p.r);
      f.set(index, p.indices);
      f.while(left, () => {
        f.call(subtract, bytes, row, i32.add(words, i32.mul(i32.load(index), bytes)));
        const shift = i32.add(p.shifts, i32.mul(i32.load(index), p.shiftBytes));
        f.call(subtract, p.shiftBytes, p.y, shift);
        f.increase(row, p.rowBytes);
        f.increase(p.y, p.yBytes);
        f.increase(index, p.indicesBytes);
        f.increase(left, -1);
      });
      return total;
    },
  );
}
