/**
 * How often each codeword would be used if vectors chose at random, nearer codewords more often: a differentiable stand-in
 * for counts, from which a bit rate and a spread of use follow (Agustsson et al. 2017, soft-to-hard vector quantisation).
 */
import { addColumnSums, scaledAdd } from '../ops/elementwise.js';
import { linear, matmul } from '../ops/matmul.js';
import { requireRank } from '../ops/shapes.js';
import { softmax } from '../ops/softmax.js';
import { contiguous, empty, flat, ShapeError, type Tensor, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** What one codebook is compared with. */
export interface SoftChoice {
  /** Vectors [n, width]. */
  readonly x: Variable;
  /** Rows of x that choose, each once; all of them where it is null. */
  readonly rows: ArrayLike<number> | null;
  /** First of the columns of x that the codebook is as wide as. */
  readonly column: number;
  /** τ: above 0, in the unit of |x|². */
  readonly temperature: number;
}

/** The rows and columns of x that choose, [rows, width] without gaps. */
function chooserOf({ x, rows, column }: SoftChoice, width: number): Tensor {
  const [all, stride] = x.shape as [number, number];
  const { data, offset } = contiguous(x.value);
  const count = rows?.length ?? all;
  const to = empty([count, width]);
  for (let n = 0; n < count; n++) {
    const from = offset + (rows?.[n] ?? n) * stride + column;
    to.data.set(data.subarray(from, from + width), to.offset + n * width);
  }
  return to;
}

/** softmax over v of -|x_n - c_v|² / τ, [rows, codewords]: |x_n|² is the same for all v and falls out. */
function assignments(x: Tensor, book: Tensor, temperature: number): Tensor {
  const [codewords, width] = book.shape as [number, number];
  const numbers = flat(book);
  const bias = empty([codewords]);
  for (let v = 0; v < codewords; v++) {
    let square = 0;
    for (let d = v * width; d < (v + 1) * width; d++) square += numbers[d]! ** 2;
    bias.data[bias.offset + v] = -square / temperature;
  }
  const weight = scaledAdd(book, 2 / temperature - 1, book);
  return softmax(linear(x, weight, bias));
}

interface Chosen {
  readonly choice: SoftChoice;
  /** [rows, width] */
  readonly x: Tensor;
  /** [codewords, width] */
  readonly book: Tensor;
  /** Probabilities P [rows, codewords]. */
  readonly p: Tensor;
}

/**
 * From a = d loss / d counts, dlogits = P ⊙ (a - m) with m = P a. It stands in no memory:
 *
 *   dx = 2/τ (P diag(a) C - m ⊙ P C)
 *   dC = 2/τ (diag(a) Pᵀx - Pᵀ(m ⊙ x) - (a ⊙ Pᵀ1 - Pᵀm) ⊙ C)
 */
function backward({ choice, x, book, p }: Chosen, a: Float32Array, dbook: Float32Array | null): Tensor {
  const [rows, width] = x.shape as [number, number];
  const codewords = a.length;
  const scale = 2 / choice.temperature;
  // [diag(a) C | C | a]
  const right = empty([codewords, 2 * width + 1]);
  const [c, r] = [flat(book), flat(right)];
  for (let v = 0; v < codewords; v++) {
    const to = v * (2 * width + 1);
    for (let d = 0; d < width; d++) {
      r[to + d] = a[v]! * c[v * width + d]!;
      r[to + width + d] = c[v * width + d]!;
    }
    r[to + 2 * width] = a[v]!;
  }
  const product = flat(matmul(p, right));
  const dx = empty(x.shape);
  const to = flat(dx);
  for (let n = 0; n < rows; n++) {
    const from = n * (2 * width + 1);
    const m = product[from + 2 * width]!;
    for (let d = 0; d < width; d++) {
      to[n * width + d] = scale * (product[from + d]! - m * product[from + width + d]!);
    }
  }
  if (dbook === null) return dx;
  // [x | m ⊙ x | m | 1]
  const columns = 2 * width + 2;
  const left = empty([rows, columns]);
  const [values, l] = [flat(x), flat(left)];
  for (let n = 0; n < rows; n++) {
    const m = product[n * (2 * width + 1) + 2 * width]!;
    for (let d = 0; d < width; d++) {
      l[n * columns + d] = values[n * width + d]!;
      l[n * columns + width + d] = m * values[n * width + d]!;
    }
    l[n * columns + 2 * width] = m;
    l[n * columns + 2 * width + 1] = 1;
  }
  const sums = flat(matmul(p.transpose(1, 0), left));
  for (let v = 0; v < codewords; v++) {
    const from = v * columns;
    const total = a[v]! * sums[from + 2 * width + 1]! - sums[from + 2 * width]!;
    for (let d = 0; d < width; d++) {
      const moved = a[v]! * sums[from + d]! - sums[from + width + d]!;
      dbook[v * width + d]! += scale * (moved - total * c[v * width + d]!);
    }
  }
  return dx;
}

/**
 * counts[b, v] = Σ over the rows n of choice b of softmax over v of -|x_n - c_bv|² / τ_b: [codebooks, codewords], of
 * codebooks [codebooks, codewords, width] and one choice for each. Cost: 3 (with trained codebooks 5) products of
 * rows · codewords · width for each codebook.
 */
export function softCounts(choices: readonly SoftChoice[], codebooks: Variable): Variable {
  requireRank('softCounts', 'codebooks', codebooks.value, 3, '[codebooks, codewords, width]');
  const [books, codewords, width] = codebooks.shape as [number, number, number];
  if (choices.length !== books) {
    throw new ShapeError(`softCounts: ${books} codebooks and ${choices.length} choices: give one each`);
  }
  for (const { x, column } of choices) {
    requireRank('softCounts', 'x', x.value, 2, '[n, width]');
    if (!(column >= 0 && column + width <= x.shape[1]!)) {
      throw new ShapeError(
        `softCounts: columns ${column} to ${column + width - 1} asked of x [${x.shape.join(', ')}]`,
      );
    }
  }
  const all = flat(contiguous(codebooks.value));
  const counts = empty([books, codewords]);
  flat(counts).fill(0);
  const chosen = choices.map((choice, b): Chosen => {
    const x = chooserOf(choice, width);
    const book = view(all.subarray(b * codewords * width, (b + 1) * codewords * width), [codewords, width]);
    const p = assignments(x, book, choice.temperature);
    addColumnSums(p, view(counts.data, [codewords], [1], counts.offset + b * codewords));
    return { choice, x, book, p };
  });
  const inputs = [...choices.map(({ x }) => x), codebooks];
  return record(inputs, counts, (dy) => {
    const arrived = flat(dy);
    const dbooks = codebooks.tape === null ? null : empty(codebooks.shape);
    const sums = dbooks === null ? null : flat(dbooks).fill(0);
    chosen.forEach((each, b) => {
      const a = centred(arrived.subarray(b * codewords, (b + 1) * codewords));
      const size = codewords * width;
      const dx = backward(each, a, sums?.subarray(b * size, (b + 1) * size) ?? null);
      if (each.choice.x.tape !== null) spread(dx, each.choice);
    });
    if (dbooks !== null) codebooks.accumulate(dbooks);
  });
}

/** a less its mean: what all codewords have in common moves nothing, and would only cost digits. */
function centred(a: Float32Array): Float32Array {
  const mean = a.reduce((sum, x) => sum + x, 0) / a.length;
  return a.map((x) => x - mean);
}

/** Adds dx [rows, width] to the gradient of the rows and columns that it is of. */
function spread(dx: Tensor, { x, rows, column }: SoftChoice): void {
  const [count, width] = dx.shape as [number, number];
  const stride = x.shape[1]!;
  if (rows === null && width === stride) {
    x.accumulate(dx);
    return;
  }
  const whole = empty(x.shape);
  const [to, from] = [flat(whole).fill(0), flat(dx)];
  for (let n = 0; n < count; n++) {
    to.set(from.subarray(n * width, (n + 1) * width), (rows?.[n] ?? n) * stride + column);
  }
  x.accumulate(whole);
}
