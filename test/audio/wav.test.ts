import fc from 'fast-check';
import t from 'tap';
import {
  bytesAccess,
  decodeWavFrames,
  locateWavSamples,
  looksLikeFlac,
  readFlac,
  readRecording,
  readWav,
  writeWav,
} from '../../src/audio/index.js';
import { UsageError } from '../../src/tensor/index.js';
import { fuzz } from '../support/fuzz.js';

const text = (letters: string) => [...letters].map((letter) => letter.charCodeAt(0));
const u16 = (n: number) => [n & 255, (n >> 8) & 255];
const u32 = (n: number) => [...u16(n & 0xffff), ...u16(Math.floor(n / 65536))];

type Chunk = readonly [name: string, body: readonly number[], length?: number];

/** A WAV file from its chunks, padded as RIFF wants; `length` overrides what a chunk claims. */
function wav(chunks: readonly Chunk[], riff = 'RIFF'): Uint8Array {
  const body = chunks.flatMap(([name, bytes, length = bytes.length]) => [
    ...text(name),
    ...u32(length),
    ...bytes,
    ...(bytes.length % 2 === 1 ? [0] : []),
  ]);
  return Uint8Array.from([...text(riff), ...u32(4 + body.length), ...text('WAVE'), ...body]);
}

interface Format {
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits: number;
  readonly container?: number;
}

function format({
  tag = 1,
  channels = 1,
  rate = 8000,
  bits,
  container = Math.ceil(bits / 8),
}: Format): Chunk {
  const frame = channels * container;
  return [
    'fmt ',
    [...u16(tag), ...u16(channels), ...u32(rate), ...u32(rate * frame), ...u16(frame), ...u16(bits)],
  ];
}

const extensible = (tag: number, bits: number, channels = 1): Chunk => {
  const [, plain] = format({ tag: 0xfffe, bits, channels });
  // size of the extension, valid bits, speaker mask, then a GUID that begins with the real tag
  return ['fmt ', [...plain, ...u16(22), ...u16(bits), ...u32(0), ...u16(tag), ...new Array(14).fill(0)]];
};

const floats = (values: readonly number[], bytes: 4 | 8) => [
  ...new Uint8Array((bytes === 4 ? Float32Array.from(values) : Float64Array.from(values)).buffer),
];

t.test('every encoding', async (t) => {
  const cases: [string, Chunk, readonly number[], readonly number[]][] = [
    ['8 bit', format({ bits: 8 }), [0, 128, 255], [-1, 0, 127 / 128]],
    ['16 bit', format({ bits: 16 }), [...u16(0x8000), ...u16(0), ...u16(0x7fff)], [-1, 0, 32767 / 32768]],
    [
      '24 bit',
      format({ bits: 24 }),
      [0, 0, 0x80, 1, 0, 0, 0xff, 0xff, 0x7f],
      [-1, 1 / 8388608, 8388607 / 8388608],
    ],
    ['32 bit', format({ bits: 32 }), [0, 0, 0, 0x80, 0, 0, 0, 0x40], [-1, 0.5]],
    ['20 bits in 3 bytes', format({ bits: 20, container: 3 }), [0, 0, 0x40], [0.5]],
    ['24 bits in 4 bytes', format({ bits: 24, container: 4 }), [0, 0, 0, 0x40], [0.5]],
    ['float 32', format({ tag: 3, bits: 32 }), floats([-1, 0.25, 2], 4), [-1, 0.25, 2]],
    ['float 64', format({ tag: 3, bits: 64 }), floats([-1, 0.25, 2], 8), [-1, 0.25, 2]],
    ['extensible 16 bit', extensible(1, 16), [...u16(0x4000)], [0.5]],
    ['extensible float', extensible(3, 32), floats([0.75], 4), [0.75]],
    [
      'two channels mixed',
      format({ bits: 16, channels: 2 }),
      [...u16(0x4000), ...u16(0), ...u16(0x8000), ...u16(0x8000)],
      [0.25, -1],
    ],
    ['eight channels mixed', extensible(1, 16, 8), new Array(8).fill(u16(0x2000)).flat(), [0.25]],
  ];
  for (const [name, header, data, expected] of cases) {
    const recording = readWav(wav([header, ['data', data]]));
    t.same([...recording.samples], expected.map(Math.fround), name);
    t.equal(recording.sampleRate, 8000);
    t.equal(recording.missingSamples, 0);
  }
});

t.test('chunks in any order, of any kind and length', async (t) => {
  const data: Chunk = ['data', [...u16(0x4000), ...u16(0xc000)]];
  const expected = [0.5, -0.5];
  const list: Chunk = ['LIST', text('INFOxyz')];
  t.same([...readWav(wav([list, format({ bits: 16 }), list, data, list])).samples], expected);
  t.same(
    [...readWav(wav([data, list, format({ bits: 16 })])).samples],
    expected,
    'samples before the format',
  );
  t.same(
    [...readWav(wav([format({ bits: 16 }), ['data', data[1], 0xffffffff]])).samples],
    expected,
    'length unknown',
  );
  const ds64: Chunk = ['ds64', [...u32(0), ...u32(0), ...u32(4), ...u32(0), ...u32(2), ...u32(0), ...u32(0)]];
  const long = wav([ds64, format({ bits: 16 }), ['data', data[1], 0xffffffff], list], 'RF64');
  t.same([...readWav(long).samples], expected, 'RF64');
  t.same([...readWav(wav([format({ bits: 16, rate: 192000 }), ['data', []]])).samples], [], 'no samples');
});

t.test('lengths of writers that did not know them yet', async (t) => {
  const list: Chunk = ['LIST', text('INFOxyz')];
  const samples = [...u16(0x4000), ...u16(0xc000), ...u16(0x2000)];
  const expected = [0.5, -0.5, 0.25];
  // sox, others, and those that wrote 0 and never came back
  for (const length of [0x7ffff000, 0x7fffffff, 0xfffffff0, 0xffffffff, 0]) {
    const recording = readWav(wav([list, format({ bits: 16 }), ['data', samples, length]]));
    t.same([...recording.samples], expected, `length ${length.toString(16)}`);
    t.equal(recording.missingSamples, 0);
  }
  const quiet = readWav(wav([format({ bits: 16 }), ['data', new Array(40).fill(0), 0]]));
  t.equal(quiet.samples.length, 20, 'silence is no chunk');
  t.equal(readWav(wav([format({ bits: 16 }), ['data', samples, 0x7fffefff]])).missingSamples > 0, true);

  // What is honest stays: no samples and other chunks after them, with and without padding at the end.
  t.same([...readWav(wav([format({ bits: 16 }), ['data', []], list, list])).samples], []);
  t.same([...readWav(wav([format({ bits: 16 }), ['data', []], list]).slice(0, -1)).samples], []);
  t.same([...readWav(wav([['data', []], list, format({ bits: 16 })])).samples], []);
  const head = wav([format({ bits: 16 }), ['data', [], 0x7ffff002]]);
  const large = locateWavSamples({
    size: head.length + 0x7ffff002 + 100,
    read: (offset, length) => head.subarray(offset, offset + length),
  });
  t.equal(large.frames, 0x7ffff002 / 2, 'a long file whose length is true, with something after the samples');
});

t.test('bytes as ArrayBuffer or Uint8Array, and nothing else', async (t) => {
  const wavBytes = writeWav(Float32Array.from([0.5]), { sampleRate: 8000 });
  const buffer = wavBytes.slice().buffer;
  t.equal(readWav(buffer).samples[0], 0.5);
  t.equal((await readRecording(buffer)).samples[0], 0.5);
  t.equal(looksLikeFlac(buffer), false);
  t.equal(bytesAccess(buffer).size, wavBytes.length);
  const layout = locateWavSamples(bytesAccess(buffer));
  t.equal(decodeWavFrames(layout, buffer.slice(44))[0], 0.5);
  await t.rejects(readFlac(buffer.slice(0, 4)), { name: 'FormatError' });
  const wrong: unknown[] = ['in.wav', undefined, null, [1, 2], new DataView(buffer), new Float32Array(4), 7];
  for (const given of wrong) {
    const bytes = given as Uint8Array;
    t.throws(() => readWav(bytes), { name: 'UsageError', message: /^readWav takes .* not [A-Z]/ });
    t.throws(() => bytesAccess(bytes), { name: 'UsageError' });
    t.throws(() => decodeWavFrames(layout, bytes), { name: 'UsageError' });
    t.throws(() => looksLikeFlac(bytes), { name: 'UsageError' });
    await t.rejects(readRecording(bytes), { name: 'UsageError' });
    await t.rejects(readFlac(bytes), { name: 'UsageError' });
  }
});

t.test('a file cut short keeps the samples it has', async (t) => {
  const whole = writeWav(
    Float32Array.from({ length: 100 }, (_, i) => i / 128),
    { sampleRate: 8000 },
  );
  const cut = readWav(whole.subarray(0, 44 + 61));
  t.equal(cut.samples.length, 30);
  t.equal(cut.missingSamples, 70);
  t.same(cut.samples, readWav(whole).samples.subarray(0, 30));
});

t.test('what is no WAV file, with the place and the remedy', async (t) => {
  const some: Chunk = ['data', [0, 0, 0, 0]];
  const wrong: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /empty/],
    ['FLAC', Uint8Array.from(text('fLaC........')), /RIFF/],
    ['no format', wav([some]), /fmt/],
    ['no samples', wav([format({ bits: 16 })]), /no data chunk/],
    ['A-law', wav([format({ tag: 6, bits: 8 }), some]), /encoding 6.*sox/],
    ['0 channels', wav([format({ channels: 0, bits: 16 }), some]), /0 channels/],
    ['0 samples a second', wav([format({ rate: 0, bits: 16 }), some]), /0 samples a second/],
    ['a frame too small', wav([format({ bits: 24, container: 2 }), some]), /do not fill/],
    ['a short format', wav([['fmt ', [1, 0]], some]), /16/],
    ['16 bit float', wav([format({ tag: 3, bits: 16 }), some]), /not supported/],
  ];
  for (const [what, bytes, message] of wrong)
    t.throws(() => readWav(bytes), { name: 'FormatError', message }, what);
});

t.test('written files are read back within half a step', async (t) => {
  const steps = { 8: 128, 16: 32768, 24: 8388608, 32: 2147483648, float32: Infinity };
  const property = fc.property(
    fc.float32Array({ min: -1, max: Math.fround(0.99), noNaN: true, maxLength: 50 }),
    fc.constantFrom(8 as const, 16 as const, 24 as const, 32 as const, 'float32' as const),
    fc.integer({ min: 1, max: 400_000 }),
    (samples, encoding, sampleRate) => {
      const bytes = writeWav(samples, { sampleRate, encoding });
      const back = readWav(bytes);
      const step = steps[encoding] === Infinity ? 0 : 0.5 / steps[encoding];
      const close = back.samples.every((x, i) => Math.abs(x - samples[i]!) <= step + 1e-7);
      return back.sampleRate === sampleRate && back.samples.length === samples.length && close;
    },
  );
  fc.assert(property, { seed: 1 });
  const clipped = readWav(writeWav(Float32Array.from([-2, 2]), { sampleRate: 8000 })).samples;
  t.same([...clipped], [-1, 32767 / 32768]);
  t.throws(() => writeWav(new Float32Array(1), { sampleRate: 0.5 }), UsageError);
});

t.test('the layout is found without reading the samples', async (t) => {
  const bytes = writeWav(new Float32Array(1000), { sampleRate: 8000 });
  let read = 0;
  const layout = locateWavSamples({
    size: bytes.length,
    read(offset, length) {
      read += length;
      return bytes.subarray(offset, offset + length);
    },
  });
  t.equal(layout.frames, 1000);
  t.ok(read < 100, `${read} bytes`);
});

t.test('10,000 damaged files: typed errors only, in little time and memory', async (t) => {
  const samples = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i));
  const originals = [
    writeWav(samples, { sampleRate: 16000 }),
    writeWav(samples, { sampleRate: 8000, encoding: 'float32' }),
    wav([['LIST', text('abc')], extensible(1, 24, 2), ['data', new Array(600).fill(7)]]),
  ];
  const result = await fuzz(originals, 10_000, (bytes) => readWav(bytes));
  t.same(result.crashes, []);
  t.ok(result.rejected > 500, `${result.rejected} rejected, ${result.accepted} accepted`);
  t.ok(result.mostBytes < 1 << 20, `${result.mostBytes} bytes at most`);
  t.ok(result.slowestMilliseconds < 1000, `${result.slowestMilliseconds.toFixed(1)} ms at most`);
});
