/** How far numbers are from what they should be. */

export interface Difference {
  /** max|a - b| / max|b|; infinity where one is infinite or NaN and the other is not the same. */
  readonly error: number;
  /** Where |a - b| is largest; -1 where nothing differs, or the lengths do. */
  readonly at: number;
}

/** The largest difference of `a` from `b`, as a part of the largest finite number of `b`. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): Difference {
  if (a.length !== b.length) return { error: Infinity, at: -1 };
  let [largest, furthest, at] = [0, 0, -1];
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (Number.isFinite(y)) largest = Math.max(largest, Math.abs(y));
    if (Object.is(x, y)) continue;
    const apart = Math.abs(x - y);
    if (Number.isNaN(apart)) return { error: Infinity, at: i };
    if (apart > furthest) [furthest, at] = [apart, i];
  }
  return { error: furthest === 0 ? 0 : furthest / largest, at };
}

/** The error of {@link largestDifference} alone. */
export const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  largestDifference(a, b).error;
