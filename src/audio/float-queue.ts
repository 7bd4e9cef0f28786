/** Numbers that come in pieces of any length and are done with from the front. Room is made by doubling. */
export class FloatQueue {
  /** The numbers that are waiting are data[start] .. data[start + length - 1]. */
  data = new Float32Array(1024);
  start = 0;
  length = 0;

  append(more: Float32Array): void {
    const needed = this.length + more.length;
    if (this.start + needed > this.data.length) {
      // What was dropped makes room first; if that is not half of it, a larger array does.
      const roomy = 2 * needed <= this.data.length;
      const to = roomy ? this.data : new Float32Array(2 * needed);
      to.set(this.data.subarray(this.start, this.start + this.length));
      this.data = to;
      this.start = 0;
    }
    this.data.set(more, this.start + this.length);
    this.length = needed;
  }

  /** Forgets the first `count`, at most all. */
  drop(count: number): void {
    this.start += count;
    this.length -= count;
  }
}
