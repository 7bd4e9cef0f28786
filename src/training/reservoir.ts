import { createRandom, type Tensor, view } from '../tensor/index.js';

/** Vectors that memory is taken for at first. */
const FIRST = 1024;

/** Keeps vectors, and of more than fit a sample in which each has the same chance (Vitter 1985, algorithm R). */
export class Reservoir {
  private data: Float32Array;
  private kept = 0;
  private seen = 0;
  private readonly random: () => number;

  /** For vectors of `width` numbers, at most `most` of them. */
  constructor(
    private readonly width: number,
    readonly most: number,
    seed: number,
  ) {
    this.random = createRandom(seed);
    this.data = new Float32Array(Math.min(FIRST, most) * width);
  }

  /** Takes vectors [n, width]. */
  add(vectors: Tensor): void {
    const { width } = this;
    for (let n = 0; n < vectors.shape[0]!; n++) {
      const from = vectors.offset + n * vectors.stride[0]!;
      const at = this.kept < this.most ? this.kept : Math.floor(this.random() * (this.seen + 1));
      this.seen++;
      if (at >= this.most) continue;
      if (at === this.kept) this.kept++;
      if (this.kept * width > this.data.length) this.grow();
      this.data.set(vectors.data.subarray(from, from + width), at * width);
    }
  }

  get size(): number {
    return this.kept;
  }

  /** What was kept, [size, width]. */
  vectors(): Tensor {
    return view(this.data.slice(0, this.kept * this.width), [this.kept, this.width]);
  }

  private grow(): void {
    const larger = new Float32Array(Math.min(2 * this.data.length, this.most * this.width));
    larger.set(this.data);
    this.data = larger;
  }
}
