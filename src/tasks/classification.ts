/** From class log-probabilities to labels, and how often they are right. */

export interface ClassProbability {
  readonly label: string;
  readonly probability: number;
}

/** Probabilities averaged over clips: every clip has the same say. At least one. */
export function meanProbabilities(clips: readonly ArrayLike<number>[]): Float64Array {
  const mean = new Float64Array(clips[0]?.length ?? 0);
  for (const logProbs of clips) {
    for (let c = 0; c < mean.length; c++) mean[c]! += Math.exp(logProbs[c]!) / clips.length;
  }
  return mean;
}

/** Classes with their labels, the likeliest first; of equals the lowest class. */
export function rankClasses(probabilities: ArrayLike<number>, labels: readonly string[]): ClassProbability[] {
  return Array.from(probabilities, (probability, c) => ({ label: labels[c] ?? `<${c}>`, probability })).sort(
    (a, b) => b.probability - a.probability,
  );
}

export interface Accuracy {
  readonly right: number;
  readonly total: number;
  /** right / total; 0 where there is none. */
  readonly rate: number;
  /** 95 % interval of the rate. */
  readonly interval: readonly [number, number];
}

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/** The rate with the score interval of Wilson (1927), which is sensible near 0 and 1 too. */
export function accuracyOf(right: number, total: number): Accuracy {
  if (total === 0) return { right, total, rate: 0, interval: [0, 1] };
  const rate = right / total;
  const scale = 1 + Z ** 2 / total;
  const centre = (rate + Z ** 2 / (2 * total)) / scale;
  const half = (Z / scale) * Math.sqrt((rate * (1 - rate)) / total + Z ** 2 / (4 * total ** 2));
  return { right, total, rate, interval: [Math.max(0, centre - half), Math.min(1, centre + half)] };
}
