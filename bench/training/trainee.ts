/** Whoever trains in the benchmark: what it can be asked. */
import type { Tensor } from '../../src/tensor/index.js';

export interface Timing {
  /** Of all passes, by the clock on the wall. */
  readonly seconds: number;
  /** The same as the processor counts it, of all threads: a neighbour's work is not in it. */
  readonly processorSeconds: number;
  /** Seconds of forward, loss and backward. */
  readonly phases: Readonly<Record<string, number>>;
}

export interface Trainee {
  /** Loss and gradients of a batch, on so many threads. */
  pass(
    batch: string,
    threads: number,
  ): Promise<{ readonly loss: number; readonly gradients: ReadonlyMap<string, Tensor> }>;
  time(batch: string, threads: number, passes: number): Promise<Timing>;
  stop(): Promise<void>;
}
