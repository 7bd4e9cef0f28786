/**
 * Leading directions: what lets most codewords be ruled out by a few coordinates.
 *
 * Let B [E, D] have orthonormal rows, y = B r, z_v = B c_v, and t = √(|r|² - |y|²), u_v = √(|c_v|² - |z_v|²) the lengths
 * of what B does not see. By Cauchy-Schwarz r·c_v <= y·z_v + t u_v, so
 *
 *   |c_v|²/2 - (y, t)·(z_v, u_v) <= score_v.
 *
 * The bound has the form of a score with E + 1 features instead of D: the same kernel computes it. A codeword whose
 * bound is above the score of another is out. Features of trained networks lie near a subspace, so E is a fraction of
 * D. Uniform noise has no such directions, and no bound of fewer features is worth anything there.
 *
 * All stages share one B: y is computed once per frame, and then only what a stage subtracts is subtracted from it.
 */

/** Codewords that stand for all in finding the directions. */
const SAMPLE = 256;
const ROUNDS = 3;
/** Directions at most: more cost more to find than they save. */
const MOST = 96;
/** The share of the codewords' energy that the leading directions of a stage may leave out. */
const REST = 0.1;

/**
 * The `count` leading eigenvectors of a covariance [width, width] by orthogonal iteration: rows of B, orthonormal, the
 * strongest first. However good they are, they only decide how much work is saved. Source: Golub and Van Loan,
 * Matrix Computations, 8.2.4.
 */
function principalDirections(covariance: Float64Array, width: number, count: number): Float64Array {
  const basis = new Float64Array(count * width);
  // Any start will do that has a part of each direction; this one is the same on every machine.
  for (let i = 0, state = 1; i < basis.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    basis[i] = state;
  }
  orthonormalise(basis, width);
  const next = new Float64Array(basis.length);
  for (let round = 0; round < ROUNDS; round++) {
    for (let row = 0; row < basis.length; row += width) {
      for (let d = 0; d < width; d++) next[row + d] = dot(covariance, d * width, basis, row, width);
    }
    basis.set(next);
    orthonormalise(basis, width);
  }
  return basis;
}

/** Σ x xᵀ of the first `count` rows of `width`. */
function covarianceOf(rows: Float64Array, count: number, width: number): Float64Array {
  const sums = new Float64Array(width * width);
  for (let from = 0; from < count * width; from += width) {
    for (let i = 0; i < width; i++) {
      const x = rows[from + i]!;
      for (let j = 0; j <= i; j++) sums[i * width + j]! += x * rows[from + j]!;
    }
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) sums[j * width + i] = sums[i * width + j]!;
  return sums;
}

const dot = (a: Float64Array, aAt: number, b: Float64Array, bAt: number, width: number): number => {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += a[aAt + d]! * b[bAt + d]!;
  return sum;
};

/** Gram-Schmidt, twice for each row, because once is not enough; a row that depends on others becomes zero. */
function orthonormalise(basis: Float64Array, width: number): void {
  for (let row = 0; row < basis.length; row += width) {
    const before = Math.sqrt(dot(basis, row, basis, row, width));
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < row; other += width) {
        const along = dot(basis, row, basis, other, width);
        for (let d = 0; d < width; d++) basis[row + d]! -= along * basis[other + d]!;
      }
    }
    const length = Math.sqrt(dot(basis, row, basis, row, width));
    const scale = length > 1e-8 * before ? 1 / length : 0;
    for (let d = 0; d < width; d++) basis[row + d]! *= scale;
  }
}

export interface Directions {
  /** B [rows, D]; a multiple of 8 rows. */
  readonly basis: Float64Array;
  readonly rows: number;
  /** Features that stage s scores, E + 1, a multiple of 8; 0 where all of D are better. */
  readonly features: readonly number[];
}

/**
 * Directions for centred codebooks [codewords, width]; null where none leaves enough of its stage behind. They count
 * equally, though later ones are shorter.
 */
export function findDirections(books: readonly Float64Array[], width: number): Directions | null {
  const most = Math.min(MOST, Math.floor(width / 14) * 8);
  const codewords = books[0]!.length / width;
  const each = Math.min(codewords, Math.ceil(SAMPLE / books.length));
  const sample = new Float64Array(books.length * each * width);
  books.forEach((book, s) => {
    const start = s * each * width;
    for (let i = 0; i < each; i++) {
      const from = Math.floor((i * codewords) / each) * width;
      sample.set(book.subarray(from, from + width), start + i * width);
    }
    const energy = dot(sample, start, sample, start, each * width);
    const scale = energy > 0 ? 1 / Math.sqrt(energy) : 1;
    for (let i = start; i < start + each * width; i++) sample[i]! *= scale;
  });
  if (!sample.every((x) => Math.abs(x) <= 1)) return null;

  const covariance = covarianceOf(sample, books.length * each, width);
  if (effectiveDimensions(covariance, width) > width / 3) return null;
  const basis = principalDirections(covariance, width, most);
  const features = books.map((_, s) => {
    // The sample of each stage has energy 1.
    let rest = 1;
    let count = 0;
    for (; count < most - 1 && rest > REST; count++) {
      for (let i = 0; i < each; i++) {
        rest -= dot(sample, (s * each + i) * width, basis, count * width, width) ** 2;
      }
    }
    return rest > REST ? 0 : Math.ceil((count + 1) / 8) * 8;
  });
  const rows = Math.max(...features);
  return rows === 0 ? null : { basis: basis.subarray(0, rows * width), rows, features };
}

/** (Σ λ)² / Σ λ² of the eigenvalues λ: n where n of them are equal and the rest zero. */
function effectiveDimensions(covariance: Float64Array, width: number): number {
  let trace = 0;
  for (let i = 0; i < covariance.length; i += width + 1) trace += covariance[i]!;
  return trace ** 2 / dot(covariance, 0, covariance, 0, covariance.length);
}

/** B x of vectors [count, width]: [count, rows]. */
export function coordinatesOf(
  vectors: Float64Array,
  width: number,
  { basis, rows }: Directions,
): Float64Array {
  const out = new Float64Array((vectors.length / width) * rows);
  for (let from = 0, to = 0; from < vectors.length; from += width) {
    for (let row = 0; row < rows * width; row += width) out[to++] = dot(vectors, from, basis, row, width);
  }
  return out;
}

/** The first coordinates z_v of centred codewords and u_v, the length of the rest: [codewords, features]. */
export function shorten(
  book: Float64Array,
  width: number,
  coordinates: Float64Array,
  rows: number,
  features: number,
): Float64Array {
  const codewords = book.length / width;
  const out = new Float64Array(codewords * features);
  for (let v = 0; v < codewords; v++) {
    const z = coordinates.subarray(v * rows, v * rows + features - 1);
    out.set(z, v * features);
    const whole = dot(book, v * width, book, v * width, width);
    const rest = whole - dot(z, 0, z, 0, features - 1);
    // A little more than the truth keeps it a bound.
    out[(v + 1) * features - 1] = Math.sqrt(Math.max(0, rest) + whole * 2 ** -40);
  }
  return out;
}
