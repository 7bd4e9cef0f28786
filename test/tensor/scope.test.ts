/** Memory of the kernels: who owns what, and that nothing is left behind. */
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { configureKernels, kernelMemory } from '../../kernels/wasm/runtime.js';
import { matmul } from '../../src/ops/index.js';
import {
  createRandom,
  drop,
  empty,
  KernelMemoryError,
  keep,
  scope,
  type Tensor,
  view,
  zeros,
} from '../../src/tensor/index.js';
import { loadCommands, readSamples } from '../support/commands.js';

const memory = kernelMemory();
const skip = memory === null ? 'no WebAssembly memory' : false;

const random = createRandom(1);
const tensor = (...shape: number[]): Tensor => {
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = random() - 0.5;
  return x;
};

t.test('a scope keeps its result and nothing else', { skip }, async (t) => {
  const before = memory!.use().stackBytes;
  const a = tensor(5, 7);
  const b = tensor(7, 9);
  const plain = matmul(a, b);
  t.notOk(memory!.holds(plain.data), 'outside a scope results are ordinary arrays');
  let inner: Tensor | undefined;
  const result = scope(() => {
    const outer = scope(() => {
      inner = matmul(a, b);
      empty([1000]);
      t.ok(memory!.holds(inner.data), "inside they lie in the kernels' memory");
      return inner;
    });
    t.ok(memory!.holds(outer.data), 'a result of an inner scope stays there');
    t.same([...outer.data], [...plain.data], 'and has moved with its content');
    return outer;
  });
  t.notOk(memory!.holds(result.data), 'a result of the outermost scope is an array of its own');
  t.same([...result.data], [...plain.data]);
  t.equal(memory!.use().stackBytes, before, 'the stack is where it was');
});

t.test('views, results from outside and errors', { skip }, async (t) => {
  const before = memory!.use().stackBytes;
  const a = tensor(4, 6);
  t.same(scope(() => matmul(a, tensor(6, 3)).transpose(1, 0)).shape, [3, 4], 'a view is made whole');
  t.equal(
    scope(() => a),
    a,
    'what was not made in the scope is given back as it is',
  );
  scope(() => {
    const made = matmul(a, tensor(6, 2));
    t.equal(
      scope(() => made),
      made,
      'also from an inner one',
    );
    return made;
  });
  t.throws(() => scope(() => matmul(a, a)), { code: 'ACOM_SHAPE' });
  t.equal(memory!.use().stackBytes, before, 'an error pops the stack');
});

t.test('too much is a typed error, and the runtime stays usable', { skip }, async (t) => {
  const { reservedBytes, stackBytes } = memory!.use();
  t.throws(() => scope(() => empty([reservedBytes / 4])), KernelMemoryError);
  t.throws(() => memory!.keepFloats(reservedBytes / 4), {
    code: 'ACOM_KERNEL_MEMORY',
    message: /configureKernels/,
  });
  t.equal(memory!.use().stackBytes, stackBytes);
  t.same([...matmul(view(new Float32Array([2]), [1, 1]), view(new Float32Array([3]), [1, 1])).data], [6]);
  t.throws(
    () => configureKernels({ memoryBytes: 1 << 26 }),
    { code: 'ACOM_KERNEL' },
    'too late for settings',
  );
});

/** Collects garbage until `done`; finalizers run between tasks. */
async function collect(done: () => boolean): Promise<boolean> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 200 && !done(); i++) {
    gc();
    await setTimeout(5);
  }
  return done();
}

t.test('kept blocks are freed with their views, and their room is used again', { skip }, async (t) => {
  const { keptBytes } = memory!.use();
  const take = (): { first: number; peak: number } => {
    const views = [100_000, 200_000, 300_000].map((length) => memory!.keepFloats(length));
    return { first: Math.min(...views.map((each) => each.byteOffset)), peak: memory!.use().peakBytes };
  };
  const before = take();
  t.ok(await collect(() => memory!.use().keptBytes <= keptBytes), `${memory!.use().keptBytes} bytes left`);
  // Only where the three have become one again is there room for all of them.
  const whole = memory!.keepFloats(600_000);
  t.ok(whole.byteOffset <= before.first);
  t.ok(memory!.use().peakBytes <= before.peak);
});

t.test('what is dropped is free at once', { skip }, async (t) => {
  const { keptBytes } = memory!.use();
  const kept = keep(tensor(40, 50));
  t.equal(memory!.use().keptBytes, keptBytes + 8000);
  drop(kept);
  t.equal(memory!.use().keptBytes, keptBytes);
  drop(kept);
  drop(tensor(3));
  t.equal(memory!.use().keptBytes, keptBytes, 'once');
});

t.test('recordings of many lengths in one go take no more memory than one', { skip }, async (t) => {
  const model = await loadCommands();
  const encoder = await model.deviceEncoder();
  const used = [4, 0, 1, 2, 3, 4].map((n) => {
    encoder.quantize(new Float32Array(8000 + 4000 * n), 8000);
    return memory!.use().keptBytes;
  });
  t.ok(
    used.every((bytes) => bytes <= used[0]!),
    used.join(', '),
  );
});

t.test('kept blocks do not overlap', { skip }, async (t) => {
  const { keptBytes } = memory!.use();
  const views = [100, 200, 300].map((length) => memory!.keepFloats(length));
  t.ok(memory!.use().keptBytes >= keptBytes + 4 * 600);
  const addresses = views.map((each) => each.byteOffset);
  t.equal(new Set(addresses).size, 3);
  t.ok(
    addresses.every((at) => at % 64 === 0),
    'on cache lines',
  );
});

t.test('1,000 recordings take no more memory than the first', { skip }, async (t) => {
  const encoder = await (await loadCommands()).deviceEncoder();
  const { samples, sampleRate } = readSamples()[0]!;
  const quarter = samples.subarray(0, sampleRate / 4);
  const first = encoder.encode(quarter, sampleRate);
  const after = memory!.use();
  for (let i = 1; i < 1000; i++) encoder.encode(quarter, sampleRate);
  t.same(memory!.use(), after, JSON.stringify(after));
  t.same(encoder.encode(quarter, sampleRate), first, 'and the same bytes');
});
