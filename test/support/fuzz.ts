/** Damages good files in seeded ways and checks that a reader fails only with typed errors. */
import { AcomError, createRandom } from '../../src/tensor/index.js';

/** One damaged copy: bits flipped, bytes set to extremes, pieces cut, repeated, or moved. */
export function mutate(original: Uint8Array, random: () => number): Uint8Array {
  const below = (n: number) => Math.floor(random() * n);
  let bytes = original.slice();
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(Math.max(1, bytes.length));
    switch (below(6)) {
      case 0:
        if (bytes.length > 0) bytes[at]! ^= 1 << below(8);
        break;
      case 1:
        if (bytes.length > 0) bytes[at] = [0, 1, 127, 128, 255][below(5)]!;
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3: {
        const piece = bytes.slice(at, at + below(16));
        const joined = new Uint8Array(bytes.length + piece.length);
        joined.set(bytes.subarray(0, at));
        joined.set(piece, at);
        joined.set(bytes.subarray(at), at + piece.length);
        bytes = joined;
        break;
      }
      case 4:
        bytes.copyWithin(at, below(Math.max(1, bytes.length)), Math.min(bytes.length, at + below(32)));
        break;
      default:
        // a little-endian 32-bit length, very large
        for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = i === 3 ? 127 : 255;
    }
  }
  return bytes;
}

export interface FuzzResult {
  readonly accepted: number;
  readonly rejected: number;
  /** Errors that are not AcomErrors, with the seed that shows each. */
  readonly crashes: string[];
  readonly slowestMilliseconds: number;
  /** Largest growth of memory outside the JavaScript heap while reading one input. */
  readonly mostBytes: number;
}

export interface FuzzOptions {
  /** Makes a file around damaged bytes: what stands behind a checksum is damaged before it is taken. */
  readonly wrap?: (damaged: Uint8Array, original: number) => Uint8Array;
}

/** Reads `count` damaged copies of `originals`, at once or awaited. */
export async function fuzz(
  originals: readonly Uint8Array[],
  count: number,
  read: (bytes: Uint8Array) => unknown,
  { wrap = (damaged) => damaged }: FuzzOptions = {},
): Promise<FuzzResult> {
  const random = createRandom(20_260);
  const crashes: string[] = [];
  let [accepted, rejected, slowestMilliseconds, mostBytes] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const original = i % originals.length;
    const bytes = wrap(mutate(originals[original]!, random), original);
    const before = process.memoryUsage().arrayBuffers;
    const start = performance.now();
    try {
      const result = read(bytes);
      if (result instanceof Promise) await result;
      accepted++;
    } catch (error) {
      if (error instanceof AcomError) rejected++;
      else crashes.push(`input ${i}: ${error instanceof Error ? error.stack : String(error)}`);
    }
    slowestMilliseconds = Math.max(slowestMilliseconds, performance.now() - start);
    mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers - before);
  }
  return { accepted, rejected, crashes, slowestMilliseconds, mostBytes };
}
