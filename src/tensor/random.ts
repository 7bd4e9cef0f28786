/** Random numbers that are the same on every machine. */
export { createRandom } from '../../kernels/random.js';

/** Numbers of a standard normal distribution (Box and Muller 1958) from a uniform source. */
export function createNormal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
