/** A class drawn from probabilities, which add up to 1. */
export function drawFrom(chances: ArrayLike<number>, random: () => number): number {
  let left = random();
  for (let c = 0; c < chances.length - 1; c++) {
    left -= chances[c]!;
    if (left < 0) return c;
  }
  return chances.length - 1;
}
