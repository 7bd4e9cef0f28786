/** Batches one after another, over the ends of epochs. */
import { TrainingError } from '../../tensor/index.js';
import type { Workload } from './workload.js';

export class Epochs {
  private known: { readonly epoch: number; readonly batches: readonly (readonly number[])[] } | null = null;

  constructor(
    private readonly workload: Workload,
    private readonly seed: number,
    /** Epoch and batch in it that come next. */
    private epoch = 0,
    private position = 0,
  ) {}

  get at(): { readonly epoch: number; readonly position: number } {
    return { epoch: this.epoch, position: this.position };
  }

  batches(epoch: number): readonly (readonly number[])[] {
    if (this.known?.epoch !== epoch) {
      const batches = this.workload.batches(epoch, this.seed);
      if (batches.length === 0 || batches.some((batch) => batch.length === 0)) {
        throw new TrainingError(`epoch ${epoch} has no batches, or one without items: is there any data?`);
      }
      this.known = { epoch, batches };
    }
    return this.known.batches;
  }

  /** Steps of the first epochs together. */
  count(epochs: number): number {
    let steps = 0;
    for (let epoch = 0; epoch < epochs; epoch++) steps += this.batches(epoch).length;
    return steps;
  }

  /** The batch that comes next. */
  current(): readonly number[] {
    const batch = this.batches(this.epoch)[this.position];
    if (batch) return batch;
    throw new TrainingError(
      `epoch ${this.epoch} has no batch ${this.position}: the data are others than before`,
    );
  }

  advance(): void {
    this.position++;
    if (this.position < this.batches(this.epoch).length) return;
    this.epoch++;
    this.position = 0;
  }
}
