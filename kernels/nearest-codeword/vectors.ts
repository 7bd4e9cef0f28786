/** Vectors in float32 as they are: distances of a residual and a codeword, and their difference. */
import type { FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { type F32, f32, f32x4, f64, i32 } from '../wasm/expression.js';

/** Adds `squaredDistance`: Σ (r - c)² in float64, feature after feature, so that equals are the reference's equals. */
export function defineDistance(module: ModuleBuilder): FunctionReference {
  return module.functionOf(
    'squaredDistance',
    { bytes: 'i32', r: 'i32', c: 'i32' },
    'f64',
    (f, { bytes, r, c }) => {
      const sum = f.local(f64.const(0));
      const end = f.local(i32.add(r, bytes));
      f.while(i32.ltS(r, end), () => {
        const difference = f.local(f64.sub(f64.promoteF32(f32.load(r)), f64.promoteF32(f32.load(c))));
        f.set(sum, f64.add(sum, f64.mul(difference, difference)));
        f.increase(r, 4);
        f.increase(c, 4);
      });
      return sum;
    },
    false,
  );
}

/** Adds `roughDistance`: the same in float32 with 16 sums. The relative error is below (D/16 + 16) 2⁻²⁴. */
export function defineRoughDistance(module: ModuleBuilder): FunctionReference {
  return module.functionOf(
    'roughDistance',
    { bytes: 'i32', r: 'i32', c: 'i32' },
    'f32',
    (f, { bytes, r, c }) => {
      const sums = Array.from({ length: 4 }, () => f.local(f32x4.constSplat(0)));
      const x = f.declare('v128');
      const end = f.local(i32.add(r, bytes));
      const take = (sum: Local<'v128'>, offset: number) => {
        f.set(x, f32x4.sub(f32x4.load(r, offset), f32x4.load(c, offset)));
        f.set(sum, f32x4.add(sum, f32x4.mul(x, x)));
      };
      const advance = (by: number) => {
        f.increase(r, by);
        f.increase(c, by);
      };
      f.while(i32.leS(r, i32.sub(end, i32.const(64))), () => {
        sums.forEach((sum, i) => {
          take(sum, 16 * i);
        });
        advance(64);
      });
      f.while(i32.leS(r, i32.sub(end, i32.const(16))), () => {
        take(sums[0]!, 0);
        advance(16);
      });
      const four = f.local(f32x4.add(f32x4.add(sums[0]!, sums[1]!), f32x4.add(sums[2]!, sums[3]!)));
      const [a, b, d, e] = [0, 1, 2, 3].map((lane) => f32x4.extractLane(four, lane)) as [F32, F32, F32, F32];
      const total = f.local(f32.add(f32.add(a, b), f32.add(d, e)));
      f.while(i32.ltS(r, end), () => {
        const difference = f.local(f32.sub(f32.load(r), f32.load(c)));
        f.set(total, f32.add(total, f32.mul(difference, difference)));
        advance(4);
      });
      return total;
    },
    false,
  );
}

/** Adds `subtractRow`: r -= c. */
export function defineSubtract(module: ModuleBuilder): FunctionReference {
  return module.function(
    'subtractRow',
    { bytes: 'i32', r: 'i32', c: 'i32' },
    (f, { bytes, r, c }) => {
      const end = f.local(i32.add(r, bytes));
      f.while(i32.leS(r, i32.sub(end, i32.const(16))), () => {
        f.store(r, f32x4.sub(f32x4.load(r), f32x4.load(c)));
        f.increase(r, 16);
        f.increase(c, 16);
      });
      f.while(i32.ltS(r, end), () => {
        f.store(r, f32.sub(f32.load(r), f32.load(c)));
        f.increase(r, 4);
        f.increase(c, 4);
      });
    },
    false,
  );
}
