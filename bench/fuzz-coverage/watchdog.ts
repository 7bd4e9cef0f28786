/** Ends the process where one input takes for ever, and says which: a loop can't be ended from its own thread. */
import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { MOST_BYTES } from './mutations.js';

const LOOK_MILLISECONDS = 5000;
/** Looks at the same input before it is taken for one that never ends: a minute. */
const PATIENCE = 12;

const COUNT = 0;
const LENGTH = 1;
const TARGET = 2;

interface Memory {
  readonly state: Int32Array;
  readonly bytes: Uint8Array;
}

/** Starts the watch; gives the function that is told of every input. */
export function startWatch(): (input: { readonly target: number; readonly bytes: Uint8Array }) => void {
  const memory: Memory = {
    state: new Int32Array(new SharedArrayBuffer(12)),
    bytes: new Uint8Array(new SharedArrayBuffer(4 * MOST_BYTES)),
  };
  new Worker(new URL(import.meta.url), { workerData: memory }).unref();
  return ({ target, bytes }) => {
    const { state, bytes: copy } = memory;
    const shown = bytes.subarray(0, copy.length);
    copy.set(shown);
    state[LENGTH] = shown.length;
    state[TARGET] = target;
    Atomics.add(state, COUNT, 1);
  };
}

function watch({ state, bytes }: Memory): void {
  let [last, looks] = [-1, 0];
  setInterval(() => {
    const count = Atomics.load(state, COUNT);
    looks = count === last ? looks + 1 : 0;
    last = count;
    if (looks < PATIENCE) return;
    const hex = Buffer.from(bytes.slice(0, state[LENGTH]!)).toString('hex');
    writeSync(2, `case ${count} does not end; reader ${state[TARGET]}, bytes ${hex}\n`);
    process.kill(process.pid, 'SIGKILL');
  }, LOOK_MILLISECONDS);
}

if (!isMainThread) watch(workerData as Memory);
