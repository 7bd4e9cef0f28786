/**
 * Rate control: which of a packet's sizes fits. Each packet's time brings bytes at the target rate; what is not spent is saved, up
 * to one packet's worth or one smallest packet. So no stretch of a stream has more than the target rate gives it and
 * one packet; the header of the stream is that one packet of its beginning, which has nothing saved.
 */
export class PacketBudget {
  private saved = 0;

  /** `perPacket`: bytes that the target rate gives for the time of a packet. */
  constructor(private readonly perPacket: number) {}

  /**
   * The number of the last of `sizes` that fits, which is then spent; -1 where none does, and the
   * packet carries nothing.
   */
  spend(sizes: readonly number[], nothing: number): number {
    const [smallest = nothing] = sizes;
    this.saved = Math.min(this.saved + this.perPacket, Math.max(2 * this.perPacket, smallest));
    let chosen = -1;
    sizes.forEach((size, n) => {
      if (size <= this.saved) chosen = n;
    });
    this.saved -= chosen < 0 ? nothing : sizes[chosen]!;
    return chosen;
  }
}
