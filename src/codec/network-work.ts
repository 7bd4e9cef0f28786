/** Work with a network in the middle of it, written once for networks that answer at once and for those that take their time. */
import type { Suffix } from '../nn/network.js';
import type { Tensor } from '../tensor/index.js';

/** Yields what goes into the network, and goes on with what comes out of it. */
export type NetworkWork<R> = Generator<Tensor, R, Tensor>;

export function runHere<R>(work: NetworkWork<R>, network: Pick<Suffix, 'forward'>): R {
  let step = work.next();
  while (!step.done) step = work.next(network.forward(step.value));
  return step.value;
}

export async function runElsewhere<R>(
  work: NetworkWork<R>,
  forward: (x: Tensor) => Promise<Tensor>,
): Promise<R> {
  let step = work.next();
  while (!step.done) step = work.next(await forward(step.value));
  return step.value;
}
