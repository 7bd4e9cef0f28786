/** Turning matrices in registers, four by four. */
import type { FunctionBuilder, Local } from './assembler.js';
import { f32x4, type V128 } from './expression.js';

/** The four columns of four rows of four numbers. */
export function transposed(f: FunctionBuilder, rows: readonly Local<'i32'>[]): V128[] {
  const four = rows.map((row): V128 => f.local(f32x4.load(row)));
  const [a, b, c, d] = four as [V128, V128, V128, V128];
  // a0 b0 a1 b1, a2 b2 a3 b3, and the same of c and d
  const [ab, abHigh] = [
    f.local(f32x4.shuffle(a, b, [0, 4, 1, 5])),
    f.local(f32x4.shuffle(a, b, [2, 6, 3, 7])),
  ];
  const [cd, cdHigh] = [
    f.local(f32x4.shuffle(c, d, [0, 4, 1, 5])),
    f.local(f32x4.shuffle(c, d, [2, 6, 3, 7])),
  ];
  return [
    f32x4.shuffle(ab, cd, [0, 1, 4, 5]),
    f32x4.shuffle(ab, cd, [2, 3, 6, 7]),
    f32x4.shuffle(abHigh, cdHigh, [0, 1, 4, 5]),
    f32x4.shuffle(abHigh, cdHigh, [2, 3, 6, 7]),
  ];
}
