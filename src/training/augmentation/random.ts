/** Draws that augmentation needs, from a uniform source in [0, 1). */
import { createNormal, UsageError } from '../../tensor/index.js';

export type Random = () => number;

/** Lower and upper bound. */
export type Range = readonly [number, number];

export const uniform = (random: Random, [low, high]: Range): number => low + (high - low) * random();

/** A whole number from `low` to `high`, both possible. */
export const integer = (random: Random, [low, high]: Range): number =>
  low + Math.floor((high - low + 1) * random());

/** One of several. Throws UsageError where there is none. */
export function choose<T>(random: Random, from: readonly T[]): T {
  if (from.length === 0) throw new UsageError('choose: there is nothing to choose from');
  return from[Math.floor(from.length * random())]!;
}

/** Another order (Fisher and Yates). */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = integer(random, [0, i]);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

/** A number of the gamma distribution with shape >= 1 (Marsaglia and Tsang 2000). */
function gamma(random: Random, normal: () => number, shape: number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A number of the beta distribution with both shapes `shape` > 0: the weight of mixup. */
export function beta(random: Random, shape: number): number {
  if (!(shape > 0 && shape < Infinity)) throw new UsageError(`beta: a shape of ${shape} makes no sense`);
  const normal = createNormal(random);
  // In logarithms: with small shapes the numbers themselves become 0.
  const logGamma = () => Math.log(gamma(random, normal, shape + 1)) + Math.log(1 - random()) / shape;
  const [a, b] = [logGamma(), logGamma()];
  return 1 / (1 + Math.exp(b - a));
}
