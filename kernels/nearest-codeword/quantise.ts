/**
 * Frames on their way into the integer kernel: centred, measured, perhaps shortened to their leading coordinates,
 * then scaled and rounded to 16 bits.
 */
import { callValue, type FunctionReference, type ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, f64, f64x2, type I32, i16x8, i32, i32x4 } from '../wasm/expression.js';
import { HEADER, LEAST_LENGTH, LENGTH, MOST_LENGTH, STATE } from './layout.js';

/** 1.5 · 2²³: adding it rounds a small number to an integer, which then stands in the low bits. */
const ROUND = 12582912;

/**
 * Adds `squaredLength`: Σ x² of a row padded with zeros to a multiple of 8, in float64, where the square of a float32
 * neither overflows nor vanishes. Four sums, because each addition waits for the one before.
 */
function defineSquaredLength(module: ModuleBuilder): FunctionReference {
  return module.functionOf(
    'squaredLength',
    { bytes: 'i32', x: 'i32' },
    'f64',
    (f, { bytes, x }) => {
      const sums = Array.from({ length: 4 }, () => f.local(f64x2.constSplat(0)));
      const end = f.local(i32.add(x, bytes));
      const wide = f.declare('v128');
      f.while(i32.ltS(x, end), () => {
        sums.forEach((sum, i) => {
          f.set(wide, f64x2.promoteLowF32x4(f32x4.load64Zero(x, 8 * i)));
          f.set(sum, f64x2.add(sum, f64x2.mul(wide, wide)));
        });
        f.increase(x, 32);
      });
      const total = f.local(f64x2.add(f64x2.add(sums[0]!, sums[1]!), f64x2.add(sums[2]!, sums[3]!)));
      return f64.add(f64x2.extractLane(total, 0), f64x2.extractLane(total, 1));
    },
    false,
  );
}

/**
 * Adds `centreFrame`: r - mean [width] to a row that is zero behind, R² and R to the state, and what the rounding
 * since the last stage adds to the error of the leading coordinates.
 */
function defineCentre(module: ModuleBuilder, squaredLength: FunctionReference): FunctionReference {
  return module.function(
    'centreFrame',
    { width: 'i32', r: 'i32', header: 'i32', mean: 'i32', centred: 'i32', state: 'i32' },
    (f, { width, r, header, mean, centred, state }) => {
      const [at, bytes] = [f.declare('i32'), f.local(i32.shl(width, i32.const(2)))];
      const to = (pointer: I32) => i32.add(pointer, at);
      f.for(at, i32.const(0), i32.and(bytes, i32.const(-16)), 16, () => {
        f.store(to(centred), f32x4.sub(f32x4.load(to(r)), f32x4.load(to(mean))));
      });
      f.while(i32.ltS(at, bytes), () => {
        f.store(to(centred), f32.sub(f32.load(to(r)), f32.load(to(mean))));
        f.increase(at, 4);
      });
      const whole = i32.and(i32.add(bytes, i32.const(31)), i32.const(-32));
      const square = f.local(callValue('f64', squaredLength, whole, centred));
      const length = f.local(f64.sqrt(square));
      const lengths = f64.add(
        f64.add(length, f64.load(state, STATE.length)),
        f64.load(header, HEADER.centre),
      );
      const drift = f64.add(f64.load(state, STATE.drift), f64.mul(f64.const(2 ** -22), lengths));
      f.store(state, drift, STATE.drift);
      f.store(state, length, STATE.length);
      f.store(state, f32.demoteF64(square), STATE.square);
    },
    false,
  );
}

/**
 * Adds `scaleFrame`: x [bytes / 4], of the given length, to 16 bits; the factor and the margin of its scores to the
 * state. `drift` is how far x itself may be from the truth.
 */
function defineScale(module: ModuleBuilder): FunctionReference {
  return module.function(
    'scaleFrame',
    { bytes: 'i32', x: 'i32', length: 'f64', drift: 'f64', header: 'i32', scaled: 'i32', state: 'i32' },
    (f, { bytes, x, length, drift, header, scaled, state }) => {
      const [scale, factor, margin] = [f.declare('f32'), f.declare('f32'), f.declare('f32')];
      const usual = i32.and(f64.lt(f64.const(LEAST_LENGTH), length), f64.lt(length, f64.const(MOST_LENGTH)));
      f.if(
        i32.or(usual, f64.eq(length, f64.const(0))),
        () => {
          const slope = f64.add(
            f64.load(header, HEADER.linear),
            f64.mul(length, f64.load(header, HEADER.square)),
          );
          const bound = f64.add(f64.load(header, HEADER.constant), f64.mul(length, slope));
          const drifted = f64.add(bound, f64.mul(drift, f64.load(header, HEADER.longest)));
          f.set(margin, f32.demoteF64(f64.mul(f64.const(2), drifted)));
        },
        () => f.set(margin, f32.const(NaN)),
      );
      f.set(scale, f32.const(0));
      f.set(factor, f32.const(0));
      f.if(usual, () => {
        f.set(scale, f32.demoteF64(f64.div(f64.const(LENGTH), length)));
        // L/N over the scale as it was rounded
        const back = f64.mul(f64.load(header, HEADER.longest), f64.const(1 / LENGTH));
        f.set(factor, f32.demoteF64(f64.div(back, f64.promoteF32(scale))));
      });
      f.store(state, factor, STATE.factor);
      f.store(state, margin, STATE.margin);

      const end = f.local(i32.add(x, bytes));
      const rounded = (offset: number) => {
        const product = f32x4.mul(f32x4.splat(scale), f32x4.load(x, offset));
        return i32x4.sub(f32x4.add(product, f32x4.constSplat(ROUND)), f32x4.constSplat(ROUND));
      };
      f.while(i32.ltS(x, end), () => {
        f.store(scaled, i16x8.narrowI32x4S(rounded(0), rounded(16)));
        f.increase(x, 32);
        f.increase(scaled, 16);
      });
    },
    false,
  );
}

/**
 * Adds `shortenFrame`: the coordinates y, and after them a bound of the length of the rest, to x [features], which are
 * `features` floats, a multiple of 8. Then as `scaleFrame`.
 */
function defineShorten(
  module: ModuleBuilder,
  squaredLength: FunctionReference,
  scale: FunctionReference,
): FunctionReference {
  return module.function(
    'shortenFrame',
    { features: 'i32', y: 'i32', x: 'i32', header: 'i32', scaled: 'i32', state: 'i32' },
    (f, { features, y, x, header, scaled, state }) => {
      const bytes = f.local(i32.shl(features, i32.const(2)));
      const at = f.declare('i32');
      f.for(at, i32.const(0), bytes, 16, () => {
        f.store(i32.add(x, at), f32x4.load(i32.add(y, at)));
      });
      const last = f.local(i32.sub(i32.add(x, bytes), i32.const(4)));
      f.store(last, f32.const(0));
      const kept = f.local(callValue('f64', squaredLength, bytes, x));
      const [length, drift] = [f64.load(state, STATE.length), f64.load(state, STATE.drift)];
      // R² (1 + 2⁻²⁰) - (|y| - drift)², and no less than 0
      const slack = f64.mul(f64.mul(f64.const(2), drift), f64.sqrt(kept));
      const whole = f.local(f64.mul(f64.mul(length, length), f64.const(1 + 2 ** -20)));
      const rest = f.local(f64.max(f64.add(f64.sub(whole, kept), slack), f64.const(0)));
      f.store(last, f32.demoteF64(f64.mul(f64.sqrt(rest), f64.const(1 + 2 ** -20))));
      f.call(scale, bytes, x, f64.sqrt(f64.add(kept, rest)), drift, header, scaled, state);
    },
    false,
  );
}

const FRAMES = {
  frames: 'i32',
  width: 'i32',
  r: 'i32',
  rowBytes: 'i32',
  header: 'i32',
  mean: 'i32',
  centred: 'i32',
  centredBytes: 'i32',
  states: 'i32',
} as const;

/** Adds the exported functions of this step: each goes through the frames. */
export function defineQuantise(module: ModuleBuilder): void {
  const squaredLength = defineSquaredLength(module);
  const centre = defineCentre(module, squaredLength);
  const scale = defineScale(module);
  const shorten = defineShorten(module, squaredLength, scale);

  // Centred rows of all frames, for their leading coordinates; those will err by spread · R at most.
  module.function('centreFrames', { ...FRAMES, spread: 'f64' }, (f, p) => {
    f.while(p.frames, () => {
      f.store(p.states, f64.const(0), STATE.length);
      f.store(p.states, f64.const(0), STATE.drift);
      f.call(centre, p.width, p.r, p.header, p.mean, p.centred, p.states);
      const drift = f64.add(
        f64.load(p.states, STATE.drift),
        f64.mul(p.spread, f64.load(p.states, STATE.length)),
      );
      f.store(p.states, drift, STATE.drift);
      f.increase(p.r, p.rowBytes);
      f.increase(p.centred, p.centredBytes);
      f.increase(p.states, STATE.bytes);
      f.increase(p.frames, -1);
    });
  });

  // r' of whole frames, or of the coordinates y and the rest where `features` is not 0.
  module.function(
    'quantiseFrames',
    {
      ...FRAMES,
      features: 'i32',
      featuresHeader: 'i32',
      y: 'i32',
      yBytes: 'i32',
      scaled: 'i32',
      scaledBytes: 'i32',
    },
    (f, p) => {
      const whole = f.local(i32.and(i32.add(i32.shl(p.width, i32.const(2)), i32.const(31)), i32.const(-32)));
      f.while(p.frames, () => {
        f.call(centre, p.width, p.r, p.header, p.mean, p.centred, p.states);
        f.if(
          p.features,
          () => f.call(shorten, p.features, p.y, p.centred, p.featuresHeader, p.scaled, p.states),
          () => {
            const length = f64.load(p.states, STATE.length);
            f.call(scale, whole, p.centred, length, f64.const(0), p.header, p.scaled, p.states);
          },
        );
        f.increase(p.r, p.rowBytes);
        f.increase(p.y, p.yBytes);
        f.increase(p.scaled, p.scaledBytes);
        f.increase(p.states, STATE.bytes);
        f.increase(p.frames, -1);
      });
    },
  );
}
