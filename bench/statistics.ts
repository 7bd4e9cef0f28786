/** What benchmarks make of their samples. */

/** The value below which the part `q` of `values` lies, linear between neighbours; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (at - Math.floor(at)) * (above - below);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Summary {
  readonly best: number;
  readonly median: number;
  /** Half the distance between the quartiles, as a part of the median. */
  readonly spread: number;
  readonly samples: number;
}

/** Of durations, so the best is the smallest: what a neighbour on the machine adds, it never takes away. */
export function summarize(seconds: readonly number[]): Summary {
  const middle = median(seconds);
  return {
    best: quantile(seconds, 0),
    median: middle,
    spread: (quantile(seconds, 0.75) - quantile(seconds, 0.25)) / 2 / middle,
    samples: seconds.length,
  };
}

/**
 * How many times as fast `ours` is as `theirs`: the median of the ratios of each round. Rounds in which one of
 * them was not run hold NaN and do not count.
 */
export function medianRatio(theirs: readonly number[], ours: readonly number[]): number {
  const ratios = theirs.map((seconds, round) => seconds / (ours[round] ?? Number.NaN));
  return median(ratios.filter((ratio) => !Number.isNaN(ratio)));
}

/** The items in a random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}
