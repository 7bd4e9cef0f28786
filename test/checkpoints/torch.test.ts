/** Files of torch.save beyond those of the oracle: what is read when, names, and limits. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type ByteSource, bytesSource, openCheckpoint } from '../../src/checkpoints/index.js';
import { view } from '../../src/tensor/index.js';
import {
  bytesOf,
  dict,
  floats,
  global,
  int,
  list,
  pickle,
  tensor,
  text,
  torchZip,
  tuple,
  zip,
} from '../support/torch.js';

const open = (bytes: Uint8Array) => openCheckpoint(bytesSource(bytes));
const one = tensor({ elements: 2, shape: [2], stride: [1] });

const rejects = async (t: Test, bytes: Uint8Array, message: RegExp, what: string) =>
  t.rejects(open(bytes), { code: 'ACOM_FORMAT', message }, what);

t.test('names: keys and indices joined by dots', async (t) => {
  const value = dict(
    ['model', dict(['weight', one], [int(3), list(int(1), one)])],
    ['epoch', int(7)],
    ['pair', tuple(text('x'), one)],
  );
  const checkpoint = await open(torchZip(value, { 0: floats(1, 2) }));
  t.equal(checkpoint.format, 'PyTorch zip');
  t.same([...checkpoint.tensors.keys()], ['model.weight', 'model.3.1', 'pair.1']);
  t.equal((checkpoint.value as ReadonlyMap<string, unknown>).get('epoch'), 7);
  t.same((await checkpoint.read('model.3.1')).data, Float32Array.of(1, 2));
  await t.rejects(checkpoint.read('absent'), { code: 'ACOM_FORMAT' });
  const twice = dict(['a.b', one], ['a', dict(['b', one])]);
  await rejects(
    t,
    torchZip(twice, { 0: floats(1, 2) }),
    /two tensors come out under the name "a\.b"/,
    'a name twice',
  );
});

t.test('a strided view is the array that its strides say', async (t) => {
  const property = fc.asyncProperty(
    fc.array(fc.record({ n: fc.integer({ min: 0, max: 4 }), step: fc.integer({ min: 0, max: 7 }) }), {
      maxLength: 4,
    }),
    fc.integer({ min: 0, max: 5 }),
    fc.boolean(),
    async (axes, offset, deflated) => {
      const shape = axes.map(({ n }) => n);
      const stride = axes.map(({ step }) => step);
      const data = Float32Array.from({ length: 100 }, (_, i) => i);
      const value = dict(['x', tensor({ elements: 100, offset, shape, stride })]);
      const file = torchZip(value, { 0: new Uint8Array(data.buffer) }, { deflated });
      const got = await (await open(file)).read('x');
      const expected: number[] = [];
      const source = view(data, shape, stride, offset);
      const walk = (index: readonly number[]): void => {
        if (index.length === shape.length) expected.push(source.get(...index));
        else for (let i = 0; i < shape[index.length]!; i++) walk([...index, i]);
      };
      walk([]);
      return String(got.shape) === String(shape) && String(got.data) === String(expected);
    },
  );
  await fc.assert(property, { seed: 1, numRuns: 200 });
  t.pass();
});

/** A source that counts what is read of it. */
function counting(bytes: Uint8Array): { source: ByteSource; read: () => number } {
  let read = 0;
  const source: ByteSource = {
    size: bytes.length,
    name: 'counted',
    async read(offset, length) {
      const part = bytes.slice(offset, offset + length);
      read += part.length;
      return part;
    },
  };
  return {
    source,
    read: () => {
      const so = read;
      read = 0;
      return so;
    },
  };
}

t.test('only what is asked for is read', async (t) => {
  const large = { elements: 250_000, shape: [500, 500], stride: [500, 1] };
  const names = ['0', '1', '2', '3'];
  const value = dict(...names.map((key) => [`layer${key}`, tensor({ key, ...large })] as const));
  const storages = Object.fromEntries(names.map((key) => [key, new Uint8Array(1_000_000).fill(Number(key))]));
  const { source, read } = counting(torchZip(value, storages));
  const checkpoint = await openCheckpoint(source);
  t.equal(checkpoint.tensors.get('layer2')?.bytes, 1_000_000);
  t.ok(read() < 200_000, 'opening reads the directory and the pickle');
  const tensor2 = await checkpoint.read('layer2');
  t.ok(new Uint8Array(tensor2.data.buffer, tensor2.data.byteOffset, 1_000_000).every((x) => x === 2));
  const once = read();
  t.ok(once >= 1_000_000 && once < 1_300_000, `${once} bytes for a tensor of 1,000,000`);
});

t.test('tensors share the memory of the file where they lie row after row and aligned', async (t) => {
  const value = dict(
    ['whole', tensor({ elements: 6, shape: [2, 3], stride: [3, 1] })],
    ['row', tensor({ elements: 6, offset: 3, shape: [3], stride: [1] })],
    ['turned', tensor({ elements: 6, shape: [3, 2], stride: [1, 3] })],
  );
  const file = torchZip(value, { 0: floats(1, 2, 3, 4, 5, 6) }, { align: 64 });
  const checkpoint = await open(file);
  const found = await checkpoint.readAll(['whole', 'row', 'turned']);
  t.equal(found.get('whole')?.data.buffer, file.buffer);
  t.equal(found.get('row')?.data.buffer, file.buffer);
  t.same(found.get('row')?.data, Float32Array.of(4, 5, 6));
  t.not(found.get('turned')?.data.buffer, file.buffer);
  t.same(found.get('turned')?.data, Float32Array.of(1, 4, 2, 5, 3, 6));
  // The same file one byte on: nothing is aligned, all is copied, and nothing changes.
  const shifted = new Uint8Array(file.length + 1);
  shifted.set(file, 1);
  const copied = await (await open(shifted.subarray(1))).readAll(['whole', 'row']);
  t.not(copied.get('whole')?.data.buffer, shifted.buffer);
  t.same(copied.get('row')?.data, found.get('row')?.data);
});

t.test('opcodes of protocol 4', async (t) => {
  const short = (s: string) => bytesOf('\x8c', s.length, s);
  const named = (module: string, name: string) => bytesOf(short(module), '\x94', short(name), '\x94\x93\x94');
  const storage = bytesOf(
    '(',
    short('storage'),
    named('torch', 'FloatStorage'),
    short('0'),
    short('cpu'),
    'K\x02tQ',
  );
  const rebuilt = bytesOf(
    named('torch._utils', '_rebuild_tensor_v2'),
    '(',
    storage,
    'K\x00K\x02\x85K\x01\x85\x89N',
    'tR',
  );
  const value = bytesOf('}\x94', short('x'), rebuilt, 's');
  const framed = bytesOf('\x80\x04\x95', new Uint8Array(8), value, '.');
  const checkpoint = await open(zip({ 'm/data.pkl': framed, 'm/data/0': floats(3, 4) }));
  t.same((await checkpoint.read('x')).data, Float32Array.of(3, 4));
});

t.test('files that ask for too much', async (t) => {
  // A list of the list before, twice, 60 times: 2^60 values in 400 bytes.
  let nested = bytesOf('](');
  for (let i = 0; i <= 60; i++) {
    const before = String.fromCharCode(i - 1);
    nested = bytesOf(
      nested,
      '](',
      i === 0 ? 'K\x01' : `h${before}h${before}`,
      'e',
      `q${String.fromCharCode(i)}`,
    );
  }
  await rejects(t, torchZip(bytesOf(nested, 'e')), /occur so often/, 'lists of lists that occur again');
  const long = text('k'.repeat(5000));
  await rejects(
    t,
    torchZip(dict([long, one]), { 0: floats(1, 2) }),
    /names of its tensors/,
    'a name of 5000 characters',
  );
  await rejects(t, torchZip(bytesOf(']'.repeat(1_000_001))), /more than 1000000 lists/, 'a million lists');
  const expanded = tensor({ elements: 2, shape: [1 << 21], stride: [0] });
  await rejects(
    t,
    torchZip(expanded, { 0: floats(1, 2) }),
    /repeats 2 elements/,
    'two million copies of a number',
  );
  const zeros = new Uint8Array(1 << 24);
  const deflated = torchZip(
    tensor({ elements: 1 << 22, shape: [1 << 22], stride: [1] }),
    { 0: zeros },
    { deflated: true },
  );
  const checkpoint = await open(deflated);
  await t.rejects(checkpoint.read(''), { code: 'ACOM_FORMAT', message: /claims to hold 16777216 bytes/ });
  // The directory claims 2^30 packed bytes for the pickle, of which twice as many may come.
  const claims = torchZip(dict(), {}, { deflated: true });
  const sizes = new DataView(claims.buffer, Buffer.from(claims).indexOf('PK\x01\x02') + 20);
  sizes.setUint32(0, 2 ** 30, true);
  sizes.setUint32(4, 2 ** 25, true);
  await rejects(t, claims, /claims 1073741824 bytes of a file of/, 'an entry longer than the file');
});

t.test('archives that are none of ours', async (t) => {
  const data = { 'm/data.pkl': pickle(dict()) };
  await rejects(t, zip({ 'm/other': new Uint8Array(3) }), /no data\.pkl/, 'another archive');
  await rejects(t, zip({ ...data, 'n/data.pkl': pickle(dict()) }), /2 files data\.pkl/, 'two checkpoints');
  await rejects(t, zip({ ...data, 'm/constants.pkl': pickle(dict()) }), /TorchScript/, 'a program');
  await rejects(
    t,
    torchZip(dict(['c', global('torch', 'FloatStorage')])),
    /holds the storage class at "c"/,
    'a class as a value',
  );
  await rejects(t, torchZip(bytesOf('N\x88')), /values left over/, 'a value too many');
  await rejects(
    t,
    torchZip(bytesOf('N', '\x85', 'K\x01a')),
    /appends to what is no list/,
    'a tuple that grows',
  );
  await rejects(t, torchZip(dict([list(), int(1)])), /neither text nor a number/, 'a list as a key');
});
