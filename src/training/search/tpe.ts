/**
 * Tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter Optimization", 2011):
 * of what was tried, the better part gives a density l of each dimension and the rest a density g; the next point is the one
 * with the largest l / g among some that are drawn from l. That maximises the expected improvement.
 */
import { UsageError } from '../../tensor/index.js';
import { countsOf, type Density, windowsOf } from './parzen.js';
import { checkSpace, type Dimension, type PointOf, type Space } from './space.js';

export interface Observation<S extends Space> {
  readonly point: PointOf<S>;
  /** Smaller is better. NaN and infinite ones count as worst. */
  readonly loss: number;
}

export interface TpeOptions {
  /** Points that are drawn at random before anything is learned from them; default 8. */
  readonly startup?: number;
  /** Part of the points that counts as good; default 0.15. */
  readonly good?: number;
  /** Points that are drawn from the good ones' density, to choose from; default 24. */
  readonly candidates?: number;
}

/** A value of a dimension as densities know it: the number of a choice, or a place in [0, 1]. */
function placeOf(name: string, dimension: Dimension, value: number): number {
  if (dimension.kind === 'choice') {
    const place = dimension.values.indexOf(value);
    if (place >= 0) return place;
    throw new UsageError(`search: ${name} was ${value}; it can be ${dimension.values.join(', ')}`);
  }
  const { low, high, logarithmic } = dimension;
  if (!(value >= low && value <= high)) {
    throw new UsageError(`search: ${name} was ${value}; it can be from ${low} to ${high}`);
  }
  return logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

function valueAt(dimension: Dimension, place: number): number {
  if (dimension.kind === 'choice') return dimension.values[place]!;
  const { low, high, logarithmic } = dimension;
  const value = logarithmic ? low * (high / low) ** place : low + (high - low) * place;
  return Math.min(high, Math.max(low, value));
}

const densityOf = (dimension: Dimension, places: readonly number[]): Density =>
  dimension.kind === 'choice' ? countsOf(places, dimension.values.length) : windowsOf(places);

/** Good ones of n: at least one, at most 25 (as hyperopt has it), so that the rest goes on telling. */
const goodOf = (n: number, part: number): number => Math.min(25, Math.max(1, Math.ceil(part * n)));

/**
 * The next point to try. The same observations and random numbers give the same point. Throws UsageError for a space that holds
 * nothing, and for observations outside of it.
 */
export function proposePoint<S extends Space>(
  space: S,
  observations: readonly Observation<S>[],
  random: () => number,
  { startup = 8, good = 0.15, candidates = 24 }: TpeOptions = {},
): PointOf<S> {
  checkSpace(space);
  const names = Object.keys(space) as (keyof S & string)[];
  const sorted = [...observations].sort((a, b) => worth(a.loss) - worth(b.loss));
  const learned = sorted.length >= startup ? goodOf(sorted.length, good) : 0;
  const chosen = names.map((name): [string, number] => {
    const dimension = space[name]!;
    const places = sorted.map(({ point }) => placeOf(name, dimension, point[name]));
    if (learned === 0) return [name, valueAt(dimension, densityOf(dimension, []).draw(random))];
    const better = densityOf(dimension, places.slice(0, learned));
    const worse = densityOf(dimension, places.slice(learned));
    let [best, most] = [0, -Infinity];
    for (let c = 0; c < candidates; c++) {
      const place = better.draw(random);
      const gain = better.logarithm(place) - worse.logarithm(place);
      if (gain > most) [best, most] = [place, gain];
    }
    return [name, valueAt(dimension, best)];
  });
  return Object.fromEntries(chosen) as PointOf<S>;
}

const worth = (loss: number): number => (Number.isNaN(loss) ? Infinity : loss);
