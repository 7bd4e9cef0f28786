/** So many a second on average, and no more than a burst at once. */
export class TokenBucket {
  private level: number;
  private at: number;

  /** `now` is in seconds, from any beginning. */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number,
  ) {
    this.level = burst;
    this.at = now;
  }

  /** Takes `amount` where that much is there. */
  take(amount: number, now: number): boolean {
    this.fill(now);
    if (this.level < amount) return false;
    this.level -= amount;
    return true;
  }

  /** Seconds until `amount` is there. */
  wait(amount: number): number {
    return Math.max(0, (amount - this.level) / this.perSecond);
  }

  isFull(now: number): boolean {
    this.fill(now);
    return this.level >= this.burst;
  }

  private fill(now: number): void {
    this.level = Math.min(this.burst, this.level + Math.max(0, now - this.at) * this.perSecond);
    this.at = now;
  }
}
