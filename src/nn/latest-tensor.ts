import { isDeferred } from '../ops/dispatch.js';
import { drop, type Tensor } from '../tensor/index.js';

/** The tensor that was made for the last key: recordings of a stream mostly have one length. */
export class LatestTensor<K> {
  private latest: { readonly key: K; readonly tensor: Tensor; noted: boolean } | null = null;

  constructor(private readonly make: (key: K) => Tensor) {}

  /** Made anew where `key` is not the last one; then the last one's tensor is gone. */
  of(key: K): Tensor {
    if (this.latest?.key !== key) {
      // Work that was only noted so far still needs its operands: those are left to the garbage collector.
      if (this.latest?.noted === false) drop(this.latest.tensor);
      this.latest = { key, tensor: this.make(key), noted: false };
    }
    if (isDeferred()) this.latest.noted = true;
    return this.latest.tensor;
  }
}
