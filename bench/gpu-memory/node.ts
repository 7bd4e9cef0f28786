/** A process that opens and runs in one mode, and sends what it holds: started by run.ts with --expose-gc. */
import type { GpuMode } from '../../kernels/gpu/index.js';
import { cycles, inferences } from './work.js';

const [mode, opens, runs] = process.argv.slice(2);

const send = async (done: string): Promise<void> => {
  // What a first collection finds is freed natively in the next turn of the loop.
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 100));
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  process.send?.({ done, heap: heapUsed + arrayBuffers, resident: rss });
};

for (let third = 0; third <= 3; third++) {
  if (third > 0) await cycles(mode as GpuMode, Number(opens) / 3);
  else await cycles(mode as GpuMode, 3);
  await send(`${Math.round((third * Number(opens)) / 3)} opened and disposed`);
}
await inferences(mode as GpuMode, Number(runs), 3, (done) => send(`${Math.round(done)} inferences`));
process.disconnect?.();
// Dawn may keep a process alive.
process.exit(0);
