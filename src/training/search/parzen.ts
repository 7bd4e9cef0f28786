/** Densities of one dimension from values that were tried: Parzen windows on [0, 1], and counts. */

export interface Density {
  /** Draws a value. */
  draw(random: () => number): number;
  logarithm(value: number): number;
}

/** The integral of the normal density up to x: Abramowitz and Stegun 7.1.26, off by less than 1.5e-7. */
function normalCumulative(x: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const tail =
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
    Math.exp((-x * x) / 2);
  return x >= 0 ? 1 - tail / 2 : tail / 2;
}

interface Window {
  readonly centre: number;
  readonly deviation: number;
}

/** Widest and narrowest window: a prior over everything, and no spike however close two values lie. */
const WIDEST = 1;
const narrowest = (count: number): number => 1 / Math.min(100, 1 + count);

/**
 * Equal normal windows around the values, cut off at 0 and 1, each as wide as the larger gap to its neighbours, and one around
 * the middle that covers all (Bergstra, Bardenet, Bengio and Kégl 2011, section 4.2).
 */
export function windowsOf(values: readonly number[]): Density {
  const sorted = [...values].sort((a, b) => a - b);
  const least = narrowest(sorted.length);
  const windows: Window[] = sorted.map((centre, i) => {
    const gap = Math.max(centre - (sorted[i - 1] ?? 0), (sorted[i + 1] ?? 1) - centre);
    return { centre, deviation: Math.min(WIDEST, Math.max(least, gap)) };
  });
  windows.push({ centre: 0.5, deviation: WIDEST });
  const inside = windows.map(
    ({ centre, deviation }) =>
      normalCumulative((1 - centre) / deviation) - normalCumulative(-centre / deviation),
  );
  return {
    draw(random) {
      const { centre, deviation } = windows[Math.floor(random() * windows.length)]!;
      for (;;) {
        // Box and Muller; what falls outside is drawn again.
        const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
        const value = centre + deviation * normal;
        if (value >= 0 && value <= 1) return value;
      }
    },
    logarithm(value) {
      let sum = 0;
      windows.forEach(({ centre, deviation }, i) => {
        const z = (value - centre) / deviation;
        sum += Math.exp((-z * z) / 2) / (deviation * Math.sqrt(2 * Math.PI) * inside[i]!);
      });
      return Math.log(sum / windows.length);
    },
  };
}

/** How often each of `choices` came, once more each. Values are numbers of choices. */
export function countsOf(values: readonly number[], choices: number): Density {
  const counts = new Array<number>(choices).fill(1);
  for (const value of values) counts[value]!++;
  const total = values.length + choices;
  return {
    draw(random) {
      let left = random() * total;
      for (let c = 0; c < choices - 1; c++) {
        left -= counts[c]!;
        if (left < 0) return c;
      }
      return choices - 1;
    },
    logarithm: (value) => Math.log(counts[value]! / total),
  };
}
