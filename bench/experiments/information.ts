/** Mutual information of codes and labels, from how often they come together. */

/** Σ -p ln p of counts, in nats, with the correction of Miller and Madow: (values seen - 1) / 2N more. */
function entropy(counts: Iterable<number>, total: number): number {
  let [nats, seen] = [0, 0];
  for (const n of counts) {
    if (n === 0) continue;
    nats -= (n / total) * Math.log(n / total);
    seen++;
  }
  return nats + (seen - 1) / (2 * total);
}

export interface Information {
  /** H(code) + H(label) - H(code, label), in bits, each corrected; not below 0. */
  readonly bits: number;
  /** H(label) in bits: the most there could be. */
  readonly labelBits: number;
  readonly pairs: number;
}

/**
 * Plug-in estimate with the Miller-Madow correction (Miller 1955): counts of N pairs see too much dependence, by about
 * (codes - 1)(labels - 1) / 2N nats, which the corrections of the three entropies take off. Of little use where N is less than
 * codes times labels.
 */
export function mutualInformation(codes: ArrayLike<number>, labels: ArrayLike<number>): Information {
  const pairs = codes.length;
  if (labels.length !== pairs) throw new RangeError(`${pairs} codes and ${labels.length} labels`);
  const [byCode, byLabel, together] = [
    new Map<number, number>(),
    new Map<number, number>(),
    new Map<string, number>(),
  ];
  const add = <K>(counts: Map<K, number>, key: K): void => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (let i = 0; i < pairs; i++) {
    const [code, label] = [codes[i]!, labels[i]!];
    add(byCode, code);
    add(byLabel, label);
    add(together, `${code} ${label}`);
  }
  if (pairs === 0) return { bits: 0, labelBits: 0, pairs };
  const ofLabel = entropy(byLabel.values(), pairs);
  const nats = entropy(byCode.values(), pairs) + ofLabel - entropy(together.values(), pairs);
  return { bits: Math.max(0, nats) / Math.LN2, labelBits: ofLabel / Math.LN2, pairs };
}
