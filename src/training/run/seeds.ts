/** Seeds of the random numbers of a run: each use has its own, which depends on what it is for and nothing else. */

/** A hash of whole numbers: MurmurHash3 of 32 bits (Appleby 2011), one number a block. */
export function mixSeed(...numbers: readonly number[]): number {
  let hash = 0;
  for (const number of numbers) {
    let k = Math.imul(number, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    hash ^= k;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= 4 * numbers.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** What random numbers are for: each draws from another sequence. */
export const PURPOSE = { initial: 1, prepare: 2, pass: 3, absorb: 4 } as const;

/** A seed for a name. */
export const nameSeed = (seed: number, name: string): number =>
  mixSeed(seed, PURPOSE.initial, ...new TextEncoder().encode(name));
