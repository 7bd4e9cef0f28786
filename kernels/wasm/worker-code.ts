/**
 * What a worker thread runs, as text: so it works from a bundle and from a page without a file of its own, and
 * workers get no other code. It waits for calls in the shared control block that `threads.ts` describes.
 */
export const WORKER_CODE = `
const begin = ({ memory, modules, control, spinMs, idle, call, done, failed }) => {
  const functions = [];
  for (const module of modules) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    for (const { name } of WebAssembly.Module.exports(module)) functions.push(exports[name]);
  }
  const block = new Int32Array(memory.buffer, control, 64);
  Atomics.store(block, 0, idle);
  for (;;) {
    for (const end = performance.now() + spinMs; Atomics.load(block, 0) !== call && performance.now() < end; ) {
      for (let i = 0; i < 1000 && Atomics.load(block, 0) !== call; i++);
    }
    for (let state = Atomics.load(block, 0); state !== call; state = Atomics.load(block, 0)) {
      Atomics.wait(block, 0, state);
    }
    let outcome = done;
    try {
      Reflect.apply(functions[block[1]], null, block.subarray(3, 3 + block[2]));
    } catch {
      outcome = failed;
    }
    Atomics.store(block, 0, outcome);
    Atomics.notify(block, 0);
  }
};
if (typeof self === 'undefined') begin(require('node:worker_threads').workerData);
else self.onmessage = ({ data }) => begin(data);
`;
