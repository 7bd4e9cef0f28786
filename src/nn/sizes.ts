import { ModelError } from '../tensor/index.js';

/**
 * Throws ModelError where a size of a configuration, or one of a list of them, is no whole number from 1 to what `most`
 * says of its name: whatever a file holds, it bounds what that can make us allocate.
 */
export function requireSizes(
  network: string,
  sizes: Readonly<Record<string, unknown>>,
  most: Readonly<Record<string, number>>,
): void {
  for (const [name, limit] of Object.entries(most)) {
    for (const value of [sizes[name]].flat()) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= limit) continue;
      throw new ModelError(`${network}: ${name} is ${value}, expected a whole number from 1 to ${limit}`);
    }
  }
}
