/** What becomes of calls whose workers fail or never come. */
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { ModuleBuilder } from '../../kernels/wasm/assembler.js';
import { i32 } from '../../kernels/wasm/expression.js';
import { controlBlocks, ThreadPool } from '../../kernels/wasm/threads.js';
import { startWorker } from '../../src/ops/start-worker.js';

const limits = { pages: 16, shared: true };
const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
const cells = new Int32Array(memory.buffer);
const module = new ModuleBuilder('threads');
// cells[at / 4] = 7; an address beyond the memory is a trap
module.function('put', { at: 'i32' }, (f, { at }) => f.store(at, i32.const(7)));
const compiled = new WebAssembly.Module(module.bytes(limits));
const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
const put = exports['put'] as (at: number) => void;
const BEYOND = 1 << 24;

const blocks = controlBlocks(4096);

t.test('parts run in workers and here; a trap in either is an error, and the pool goes on', async (t) => {
  const pool = new ThreadPool({ memory, modules: [compiled] }, 3, blocks, startWorker);
  for (let i = 0; i < 400 && pool.ready < 2; i++) await setTimeout(10);
  t.equal(pool.ready, 2);
  pool.run('put', [[0], [4], [8]], put);
  t.same([...cells.subarray(0, 3)], [7, 7, 7]);
  t.throws(() => pool.run('put', [[BEYOND], [12], [16]], put), {
    code: 'ACOM_KERNEL',
    message: /put: a worker/,
  });
  t.same([...cells.subarray(3, 5)], [7, 7], 'the other parts were done');
  t.throws(() => pool.run('put', [[20], [24], [BEYOND]], put), { name: 'RuntimeError' });
  t.same([...cells.subarray(5, 7)], [7, 7], 'and waited for');
  pool.run('put', [[28], [32]], put);
  t.same([...cells.subarray(7, 9)], [7, 7]);
});

t.test('where no worker can be started, none is ready', async (t) => {
  const pool = new ThreadPool({ memory, modules: [compiled] }, 3, controlBlocks(16384), () => {
    throw new Error('not permitted');
  });
  t.equal(pool.ready, 0);
});
