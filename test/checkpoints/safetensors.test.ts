import fc from 'fast-check';
import t from 'tap';
import {
  bytesSource,
  openSafetensors,
  readSafetensors,
  type TensorData,
  writeSafetensors,
} from '../../src/checkpoints/index.js';
import { FormatError } from '../../src/tensor/index.js';

const sample = new Map<string, TensorData>([
  ['weights', { data: Float32Array.from([1.5, -2, 3, 4, 5, 6]), shape: [2, 3] }],
  ['counts', { data: Int32Array.from([1, -2]), shape: [2] }],
  ['bytes', { data: Uint8Array.from([1, 2, 3]), shape: [3] }],
  ['double', { data: Float64Array.from([Math.PI]), shape: [] }],
  ['__proto__', { data: BigInt64Array.from([-1n]), shape: [1] }],
]);

t.test('what is written is read back, from memory and by byte range', async (t) => {
  const bytes = writeSafetensors(sample, { purpose: 'test' });
  const { tensors, metadata } = readSafetensors(bytes);
  t.same([...metadata], [['purpose', 'test']]);
  t.equal(tensors.size, sample.size);
  const file = await openSafetensors(bytesSource(bytes));
  for (const [name, { data, shape }] of sample) {
    for (const got of [tensors.get(name), await file.read(name)]) {
      t.same(got?.shape, shape, name);
      t.same(got?.data, data, name);
    }
  }
  await t.rejects(file.read('absent'), FormatError);
});

t.test('several tensors: neighbours in one read, far ones apart', async (t) => {
  const numbers = (length: number, first: number): TensorData => ({
    data: Float32Array.from({ length }, (_, i) => first + i),
    shape: [length],
  });
  // 64 KiB are 16,384 numbers: `gap` may be read along, `wide` may not.
  const tensors = new Map([
    ['a', numbers(10, 1)],
    ['b-gap', numbers(16_384, 2)],
    ['c', numbers(5, 3)],
    ['d-wide', numbers(16_385, 4)],
    ['e', numbers(7, 5)],
    ['f-large', numbers(5_000_000, 6)],
    ['g', numbers(3, 7)],
  ]);
  const memory = bytesSource(writeSafetensors(tensors));
  const reads: number[] = [];
  const read = (offset: number, length: number) => {
    reads.push(length);
    return memory.read(offset, length);
  };
  const file = await openSafetensors({ ...memory, read });
  for (const [names, lengths] of [
    [
      ['e', 'a', 'c'],
      [4 * (10 + 16_384 + 5), 28],
    ],
    [
      ['e', 'f-large', 'g'],
      [28, 20_000_000, 12],
    ],
    [[], []],
  ] as const) {
    reads.length = 0;
    const found = await file.readAll(names);
    t.same(reads, lengths);
    t.same([...found.keys()].sort(), [...names].sort());
    for (const name of names) {
      const [got, expected] = [found.get(name)!.data, tensors.get(name)!.data] as [
        Float32Array,
        Float32Array,
      ];
      t.ok(got.length === expected.length && got.every((x, i) => x === expected[i]), name);
    }
  }
  await t.rejects(file.readAll(['a', 'absent']), FormatError);
  const shorter = {
    ...memory,
    read: async (from: number, size: number) => (await read(from, size)).slice(0, 100_000),
  };
  const cut = await openSafetensors(shorter);
  await t.rejects(cut.readAll(['f-large']), { code: 'ACOM_FORMAT', message: /ends before its tensors/ });
});

t.test('tensors in groups lie together, and the order given does not matter', async (t) => {
  const groupOf = (name: string) => (name.startsWith('w') ? 0 : 1);
  const bytes = writeSafetensors(sample, {}, groupOf);
  t.same(bytes, writeSafetensors(new Map([...sample].reverse()), {}, groupOf));
  const { tensors } = await openSafetensors(bytesSource(bytes));
  const names = [...tensors.values()].sort((a, b) => a.begin - b.begin).map(({ name }) => name);
  t.same(names, ['weights', '__proto__', 'double', 'counts', 'bytes']);
  for (const [name, { data }] of sample) t.same(readSafetensors(bytes).tensors.get(name)?.data, data, name);
});

t.test('aligned tensors share the memory of the file, others are copied', async (t) => {
  const bytes = writeSafetensors(sample);
  const whole = readSafetensors(bytes).tensors.get('weights');
  t.equal(whole?.data.buffer, bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const copied = readSafetensors(shifted.subarray(1)).tensors.get('weights');
  t.not(copied?.data.buffer, shifted.buffer);
  t.same(copied?.data, whole?.data);
});

t.test('any float32 tensor survives the round trip bit for bit', async (t) => {
  const property = fc.property(
    fc.dictionary(fc.string(), fc.float32Array({ maxLength: 20 }), { maxKeys: 6 }),
    (record) => {
      const tensors = new Map(
        Object.entries(record)
          .filter(([name]) => name !== '__metadata__')
          .map(([name, data]) => [name, { data, shape: [data.length] }]),
      );
      const back = readSafetensors(writeSafetensors(tensors)).tensors;
      return (
        back.size === tensors.size &&
        [...tensors].every(([name, { data }]) => data.every((x, i) => Object.is(x, back.get(name)?.data[i])))
      );
    },
  );
  fc.assert(property, { seed: 1 });
  t.pass();
});

t.test('every type that is written is read back', async (t) => {
  const bits = Uint8Array.of(0, 1, 1, 0);
  const cases: Record<string, [TensorData['data'], TensorData['data']?]> = {
    F64: [Float64Array.of(Math.PI, -0)],
    F32: [Float32Array.of(1.5, Number.NaN)],
    F16: [Float32Array.of(1.0001, -3), Float32Array.of(1, -3)],
    BF16: [Float32Array.of(1.001, -3), Float32Array.of(1, -3)],
    I64: [BigInt64Array.of(-(2n ** 63n), 5n)],
    I32: [Int32Array.of(-(2 ** 31), 5)],
    I16: [Int16Array.of(-32768, 5)],
    I8: [Int8Array.of(-128, 5)],
    U64: [BigUint64Array.of(2n ** 64n - 1n)],
    U32: [Uint32Array.of(2 ** 32 - 1)],
    U16: [Uint16Array.of(65535)],
    U8: [Uint8Array.of(255, 7)],
    BOOL: [bits],
  };
  const tensors = new Map<string, TensorData>(
    Object.entries(cases).map(([name, [data]]) => [
      name,
      { data, shape: [data.length], type: name as NonNullable<TensorData['type']> },
    ]),
  );
  const bytes = writeSafetensors(tensors);
  const file = await openSafetensors(bytesSource(bytes));
  const whole = readSafetensors(bytes).tensors;
  for (const [name, [data, rounded = data]] of Object.entries(cases)) {
    t.equal(file.tensors.get(name)?.type, name);
    t.same(whole.get(name)?.data, rounded, `${name} from memory`);
    t.same((await file.read(name)).data, rounded, `${name} by byte range`);
  }
  for (const [data, type] of [
    [Uint8Array.of(2), 'BOOL'],
    [Float64Array.of(1), 'F16'],
    [Float32Array.of(1), 'F64'],
    [Int32Array.of(1), 'BF16'],
  ] as const) {
    const wrong = new Map<string, TensorData>([['x', { data, shape: [1], type }]]);
    t.throws(() => writeSafetensors(wrong), { code: 'ACOM_USAGE', message: /^x: / }, type);
  }
});

t.test('a Buffer of Node, aligned or not, gives plain arrays', async (t) => {
  const bytes = writeSafetensors(sample);
  for (const shift of [0, 1]) {
    const buffer = Buffer.alloc(bytes.length + shift);
    buffer.set(bytes, shift);
    const { tensors } = readSafetensors(buffer.subarray(shift));
    for (const [name, { data }] of sample) {
      t.same(tensors.get(name)?.data, data, name);
      t.equal(tensors.get(name)?.data.constructor, data.constructor, name);
    }
  }
});

t.test('files that contradict themselves', async (t) => {
  const withHeader = (header: string, data = 8) => {
    const text = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + text.length + data);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    return bytes;
  };
  const entry = (range: string, shape = '[1]', dtype = '"F32"') =>
    `{"dtype":${dtype},"shape":${shape},"data_offsets":${range}}`;
  const wrong: Record<string, Uint8Array> = {
    'an empty file': new Uint8Array(0),
    'half a length': new Uint8Array(5),
    'no JSON': withHeader('{"a":'),
    'JSON that is no object': withHeader('[]'),
    'an entry that is no object': withHeader('{"a":1}'),
    'a gap between tensors': withHeader(`{"a":${entry('[0,4]')},"b":${entry('[5,9]')}}`, 9),
    'overlapping tensors': withHeader(`{"a":${entry('[0,4]')},"b":${entry('[2,6]')}}`, 6),
    'bytes left over': withHeader(`{"a":${entry('[0,4]')}}`, 9),
    'a negative size': withHeader(`{"a":${entry('[0,4]', '[-1]')}}`, 4),
    'a size beyond counting': withHeader(`{"a":${entry('[0,4]', '[9007199254740991,9007199254740991]')}}`, 4),
    'a thousand axes': withHeader(`{"a":${entry('[0,4]', JSON.stringify(new Array(1000).fill(1)))}}`, 4),
    'metadata that is no text': withHeader('{"__metadata__":{"a":1}}', 0),
    'invalid UTF-8': (() => {
      const bytes = withHeader('{"a":{}}', 0);
      bytes[10] = 0xff;
      return bytes;
    })(),
  };
  for (const [what, bytes] of Object.entries(wrong))
    t.throws(() => readSafetensors(bytes), FormatError, what);
});
