/** Codebooks from data: k-means for each stage on what the stages before it left. */
import { linear } from '../ops/matmul.js';
import { nearestCodewords } from '../ops/nearest-codeword.js';
import { requireRank } from '../ops/shapes.js';
import { addTo, assignTo, scaleBy } from '../tensor/elementwise.js';
import {
  createRandom,
  empty,
  flat,
  scope,
  scratch,
  type Tensor,
  UsageError,
  view,
  zeros,
} from '../tensor/index.js';
import { ResidualQuantizer } from './residual-quantizer.js';

export interface FitOptions {
  readonly stages: number;
  readonly codewords: number;
  /** Rounds of k-means at most; it stops earlier when no vector changes its codeword. Default 25. */
  readonly rounds?: number;
  /** Default 1. The same data and seed give the same codebooks. */
  readonly seed?: number;
  /** Called after each round, for progress bars. */
  readonly onRound?: (stage: number, round: number, distortion: number) => void;
}

const squaredDistance = (x: Float32Array, a: number, y: Float32Array, b: number, width: number): number => {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += (x[a + d]! - y[b + d]!) ** 2;
  return sum;
};

/** Part of |x|² + |c|² by which |x|² + |c|² - 2 x·c in float32 may be off, and more. */
const SLACK = 1e-4;

/**
 * First codewords by k-means++ (Arthur and Vassilvitskii 2007): each is a vector drawn with a probability
 * proportional to its squared distance from those already chosen. Distances are exact; a product with all vectors at
 * once tells for which of them the new codeword can be nearer than the others.
 */
function spreadCodewords(x: Tensor, codewords: number, random: () => number): Tensor {
  const [count, width] = x.shape as [number, number];
  const source = flat(x);
  const book = zeros([codewords, width]);
  const distances = new Float64Array(count).fill(Infinity);
  const origin = new Float32Array(width);
  const squares = Float64Array.from(distances, (_, n) =>
    squaredDistance(source, n * width, origin, 0, width),
  );
  return scope(() => {
    // Where kernels reach them without a copy each time.
    const vectors = empty(x.shape);
    flat(vectors).set(source);
    let chosen = Math.floor(random() * count);
    for (let v = 0; v < codewords; v++) {
      book.data.set(source.subarray(chosen * width, (chosen + 1) * width), v * width);
      scratch(() => {
        const products = flat(linear(vectors, book.lo(v, 0).hi(1, width), null));
        for (let n = 0; n < count; n++) {
          const both = squares[n]! + squares[chosen]!;
          // NaN is no reason to leave a vector out.
          if (both - 2 * products[n]! - SLACK * both >= distances[n]!) continue;
          const distance = squaredDistance(source, n * width, book.data, v * width, width);
          if (distance < distances[n]!) distances[n] = distance;
        }
      });
      const total = distances.reduce((sum, distance) => sum + distance, 0);
      // Where every vector is a codeword already, any will do.
      let threshold = random() * total;
      chosen = total === 0 ? Math.floor(random() * count) : 0;
      while (total > 0 && chosen < count - 1 && threshold >= distances[chosen]!)
        threshold -= distances[chosen++]!;
    }
    return book;
  });
}

/** Moves every codeword to the mean of its vectors; one without any goes to the vector served worst. */
function moveCodewords(x: Tensor, book: Tensor, indices: Int32Array): void {
  const [codewords, width] = book.shape as [number, number];
  const means = view(new Float64Array(codewords * width), [codewords, width]);
  const counts = new Int32Array(codewords);
  for (let n = 0; n < indices.length; n++) {
    addTo(means.pick(indices[n]!, null), x.pick(n, null));
    counts[indices[n]!]!++;
  }
  const source = flat(x);
  const errors = Array.from(indices, (v, n) =>
    squaredDistance(source, n * width, book.data, v * width, width),
  );
  for (let v = 0; v < codewords; v++) {
    if (counts[v]! > 0) {
      scaleBy(means.pick(v, null), 1 / counts[v]!);
      assignTo(book.pick(v, null), means.pick(v, null));
      continue;
    }
    const worst = errors.reduce((best, error, n) => (error > errors[best]! ? n : best), 0);
    errors[worst] = 0;
    assignTo(book.pick(v, null), x.pick(worst, null));
  }
}

/** Fits a quantiser to vectors [count, width]. */
export function fitQuantizer(vectors: Tensor, options: FitOptions): ResidualQuantizer {
  const { stages, codewords, rounds = 25, seed = 1, onRound } = options;
  requireRank('fitQuantizer', 'vectors', vectors, 2, '[count, width]');
  const [count, width] = vectors.shape as [number, number];
  if (count === 0) throw new UsageError('fitQuantizer: there are no vectors to fit');
  for (const [name, value] of Object.entries({ stages, codewords, rounds })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new UsageError(`fitQuantizer: ${name} is ${value}, expected a positive whole number`);
    }
  }
  const random = createRandom(seed);
  const residual = view(flat(vectors).slice(), [count, width]);
  const codebooks = zeros([stages, codewords, width]);
  for (let s = 0; s < stages; s++) {
    const book = spreadCodewords(residual, codewords, random);
    const shaped = view(book.data, [1, codewords, width]);
    let assigned = nearestCodewords(residual, shaped, 1);
    for (let round = 0; round < rounds; round++) {
      moveCodewords(residual, book, assigned.indices.data);
      const next = nearestCodewords(residual, shaped, 1);
      const settled = next.indices.data.every((v, n) => v === assigned.indices.data[n]);
      assigned = next;
      onRound?.(s, round, meanSquare(assigned.residual));
      if (settled) break;
    }
    assignTo(codebooks.pick(s, null, null), book);
    assignTo(residual, assigned.residual);
  }
  return new ResidualQuantizer(codebooks);
}

const meanSquare = (x: Tensor): number => flat(x).reduce((sum, r) => sum + r * r, 0) / Math.max(1, x.size);
