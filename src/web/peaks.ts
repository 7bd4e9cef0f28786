/** A waveform small enough to draw: the lowest and the highest sample of each stretch of time. */

export class Peaks {
  private low = 0;
  private high = 0;
  private taken = 0;
  private buckets = 0;
  private boundary: number;
  private ready: number[] = [];

  /** `bucketSamples` need not be whole: buckets begin at the samples nearest to its multiples. */
  constructor(private readonly bucketSamples: number) {
    this.boundary = this.boundaryAfter(0);
  }

  /** Takes samples; gives low and high by turns of the buckets that they complete. */
  push(samples: Float32Array): Float32Array {
    for (const sample of samples) {
      if (sample < this.low) this.low = sample;
      if (sample > this.high) this.high = sample;
      if (++this.taken >= this.boundary) this.close();
    }
    const peaks = Float32Array.from(this.ready);
    this.ready = [];
    return peaks;
  }

  private close(): void {
    this.ready.push(this.low, this.high);
    this.low = 0;
    this.high = 0;
    this.boundary = this.boundaryAfter(++this.buckets);
  }

  private boundaryAfter(bucket: number): number {
    return Math.max(this.taken + 1, Math.round((bucket + 1) * this.bucketSamples));
  }
}
