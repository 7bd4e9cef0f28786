import { isDeferred } from '../ops/dispatch.js';
import { drop, type Tensor } from '../tensor/index.js';

/** The tensor that was made for the last key: recordings of a stream mostly have one length. */
export class RecentTensor<K> {
  private recent: { readonly key: K; readonly tensor: Tensor; noted: boolean } | null = null;

  constructor(private readonly make: (key: K) => Tensor) {}

  /** Made anew where `key` is not the last one; then the last one's tensor is gone. */
  of(key: K): Tensor {
    if (this.recent?.key !== key) {
      // Work that was only noted so far still needs its operands: those are left to the garbage collector.
      if (this.recent?.noted === false) drop(this.recent.tensor);
      this.recent = { key, tensor: this.make(key), noted: false };
    }
    if (isDeferred()) this.recent.noted = true;
    return this.recent.tensor;
  }
}
