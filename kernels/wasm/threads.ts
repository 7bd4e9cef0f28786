/**
 * Several threads on one call: its parts run in workers that share the kernels' memory, and one part here.
 *
 * Each worker has a control block of 64 integers: [state, function, number of arguments, arguments ...]. The
 * caller writes a call and sets the state; the worker runs it and sets the state back. Both watch the state for
 * 1 ms before they sleep, because waking a thread costs as much as a small product. Workers start when the
 * first call that is worth it comes, and that call does not wait for them. They never keep a process alive.
 *
 * A worker whose core is busy with something else makes a call slower than it is without it. So gains and losses are
 * counted, and where more is lost than gained the workers rest: for a second at first, and longer each time.
 */
import { KernelError } from '../errors.js';
import { WORKER_CODE } from './worker-code.js';

/** Makes a worker that runs `code` and hands it `data`. */
export type StartWorker = (code: string, data: unknown) => void;

/** Functions that a worker can run: those of these modules, in the order of their exports. */
export interface ThreadedCode {
  readonly memory: WebAssembly.Memory;
  readonly modules: readonly WebAssembly.Module[];
}

const STARTING = 0;
const IDLE = 1;
const CALL = 2;
const DONE = 3;
const FAILED = 4;
const BLOCK_INTEGERS = 64;
const FIRST_ARGUMENT = 3;
const MOST_THREADS = 16;
/** How long the state is watched before sleeping: longer than what a network does on one thread in between. */
const SPIN_MS = 1;
/** What gains may outweigh, and losses may reach. */
const MOST_BALANCE_MS = 10;
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60_000;

export class ThreadPool {
  private readonly blocks: Int32Array[] = [];
  private readonly functions = new Map<string, number>();
  /** Calls that are not counted: workers that have just come up are slow. */
  private warmUp = 32;
  /** Milliseconds that were gained, less those that were lost. */
  private balance = 0;
  private restMs = FIRST_REST_MS;
  private restUntil = 0;

  constructor(
    code: ThreadedCode,
    /** Threads in all, this one included. */
    threads: number,
    /** Addresses of control blocks in the shared memory. */
    controlBlocks: readonly number[],
    start: StartWorker,
  ) {
    for (const module of code.modules) {
      for (const { name } of WebAssembly.Module.exports(module)) {
        this.functions.set(name, this.functions.size);
      }
    }
    for (const control of controlBlocks.slice(0, Math.min(threads, MOST_THREADS) - 1)) {
      const block = new Int32Array(code.memory.buffer, control, BLOCK_INTEGERS);
      block.fill(0);
      const states = { idle: IDLE, call: CALL, done: DONE, failed: FAILED };
      try {
        start(WORKER_CODE, { ...code, control, spinMs: SPIN_MS, ...states });
      } catch {
        // No workers here (a permission, a page's policy): what there is does the work.
        break;
      }
      this.blocks.push(block);
    }
  }

  /** Workers that are up and waiting, and worth asking. */
  get ready(): number {
    if (this.restUntil > 0 && performance.now() < this.restUntil) return 0;
    return this.blocks.filter((block) => Atomics.load(block, 0) !== STARTING).length;
  }

  /**
   * Runs `parts` calls of the exported function `name`: the first ones in workers, the last by `here`. There must be
   * no more than `ready` + 1 of them. Returns when all are done.
   */
  run(name: string, parts: readonly (readonly number[])[], here: (...args: number[]) => void): void {
    const index = this.functions.get(name);
    if (index === undefined) throw new Error(`internal: no threaded function ${name}`);
    const workers = this.blocks.filter((block) => Atomics.load(block, 0) !== STARTING);
    const last = parts.length - 1;
    for (let at = 0; at < last; at++) {
      const block = workers[at]!;
      const args = parts[at]!;
      block[1] = index;
      block[2] = args.length;
      block.set(args, FIRST_ARGUMENT);
      Atomics.store(block, 0, CALL);
      Atomics.notify(block, 0);
    }
    const begin = performance.now();
    let own = 0;
    let failed = false;
    try {
      here(...parts[last]!);
      own = performance.now() - begin;
    } finally {
      // Whatever happens here: nobody must write into memory that the caller is about to give away.
      for (let at = 0; at < last; at++) failed = !join(workers[at]!) || failed;
    }
    if (failed) throw new KernelError(`${name}: a worker thread failed; use ACOM_THREADS=1 to find out why`);
    this.judge(own * parts.length - (performance.now() - begin));
  }

  /** What a call was faster than its parts one after another would have been, in ms. */
  private judge(gained: number): void {
    if (this.warmUp-- > 0) return;
    this.balance = Math.min(MOST_BALANCE_MS, this.balance + gained);
    if (this.balance === MOST_BALANCE_MS) this.restMs = FIRST_REST_MS;
    if (this.balance > -MOST_BALANCE_MS) return;
    this.balance = 0;
    this.restUntil = performance.now() + this.restMs;
    this.restMs = Math.min(2 * this.restMs, LONGEST_REST_MS);
  }
}

/** Waits until a worker is done, and says whether it could. A page's main thread must not sleep, so it only watches. */
function join(block: Int32Array): boolean {
  const end = performance.now() + SPIN_MS;
  while (Atomics.load(block, 0) === CALL && performance.now() < end);
  while (Atomics.load(block, 0) === CALL) {
    try {
      Atomics.wait(block, 0, CALL, 1000);
    } catch {
      // not allowed on this thread
    }
  }
  const done = Atomics.load(block, 0) === DONE;
  Atomics.store(block, 0, IDLE);
  return done;
}

/** Bytes of the control blocks of all workers that there can be. */
export const CONTROL_BYTES = 4 * BLOCK_INTEGERS * MOST_THREADS;
export const controlBlocks = (start: number): number[] =>
  Array.from({ length: MOST_THREADS }, (_, i) => start + 4 * BLOCK_INTEGERS * i);
