import fc from 'fast-check';
import t from 'tap';
import {
  crc16,
  crc32,
  looksLikeStream,
  MOST_SAMPLES,
  type Packet,
  parseHeader,
  readStream,
  type StreamHeader,
  truncateCodebooks,
  writeStream,
} from '../../src/bitstream/index.js';
import { createRandom, FormatError, UsageError } from '../../src/tensor/index.js';
import { fuzz } from '../support/fuzz.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const ascii = (text: string) => new TextEncoder().encode(text);

/** Packets of `stages` runs of seeded bytes. */
function randomPackets(count: number, stages: number, vectors: number, seed: number): Packet[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: stages }, () =>
      Uint8Array.from({ length: Math.floor(random() * (2 * vectors)) }, () => Math.floor(random() * 256)),
    ),
  );
}

const several: StreamHeader = {
  codebooks: 2,
  fingerprint: 0xdeadbeef,
  samples: 200_000,
  vectorsPerPacket: 13,
};

t.test('check values of the published CRCs', async (t) => {
  t.equal(crc32(ascii('123456789')), 0xcbf43926);
  t.equal(crc16(ascii('123456789')), 0x4b37, 'CRC-16/MODBUS');
  t.equal(crc32(ascii('6789'), crc32(ascii('12345'))), 0xcbf43926, 'in pieces');
  t.equal(crc16(ascii('6789'), crc16(ascii('12345'))), 0x4b37, 'in pieces');
});

t.test('golden bytes: a change here is a new format version', async (t) => {
  const single: StreamHeader = {
    codebooks: 1,
    fingerprint: 0x01020304,
    samples: 24_000,
    vectorsPerPacket: 0,
  };
  const bytes = writeStream(single, [[Uint8Array.from([0xaa, 0xbb])]]);
  // magic, version 1 and 1 codebook, fingerprint, 15 bits of samples, payload; CRC-16/MODBUS over all of it
  // and the packet number, computed in Python
  t.equal(hex(bytes), 'ac21010203045dc0aabb82cb');
  const two = writeStream({ ...several, samples: 5 }, [[Uint8Array.from([1]), Uint8Array.from([2, 3])]]);
  t.equal(hex(two), 'ac32deadbeef00050d01020102033061');
});

t.test('what is written is read back', async (t) => {
  const property = fc.property(
    fc.record({
      codebooks: fc.integer({ min: 1, max: 15 }),
      fingerprint: fc.nat(0xffffffff),
      samples: fc.oneof(fc.nat(40_000), fc.nat(5_000_000), fc.integer({ min: 0, max: MOST_SAMPLES })),
      vectorsPerPacket: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400 })),
    }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer(),
    (header, count, seed) => {
      const single = header.vectorsPerPacket === 0;
      const packets = randomPackets(
        single ? 1 : count,
        header.codebooks,
        single ? 100 : header.vectorsPerPacket,
        seed,
      );
      const bytes = writeStream(header, packets);
      const back = readStream(bytes, () => packets.length);
      const blind = readStream(bytes);
      const same = (found: readonly (Packet | null)[]) =>
        found.length === packets.length &&
        found.every((packet, i) => packet?.map(hex).join() === packets[i]!.map(hex).join());
      return (
        JSON.stringify(back.header) === JSON.stringify(header) &&
        same(back.packets) &&
        same(blind.packets) &&
        back.trailingBytes === 0 &&
        looksLikeStream(bytes)
      );
    },
  );
  fc.assert(property, { seed: 1, numRuns: 400 });
  t.pass();
});

t.test('header and framing of three seconds at 8 kHz: 10 bytes', async (t) => {
  const header: StreamHeader = { codebooks: 1, fingerprint: 1, samples: 24_000, vectorsPerPacket: 0 };
  t.equal(writeStream(header, [[new Uint8Array(38)]]).length, 48);
});

t.test('every flipped bit is noticed, and costs no packet but its own', async (t) => {
  const packets = randomPackets(12, 2, 13, 7).map((packet) => packet.map((stage) => stage.slice(0, 13)));
  const bytes = writeStream(several, packets);
  const { size } = parseHeader(bytes);
  const ends: number[] = [];
  let at = size;
  for (const packet of packets) {
    at += packet.reduce((sum, stage) => sum + stage.length + 1, 2);
    ends.push(at);
  }
  t.equal(at, bytes.length);
  let wrong = 0;
  let lost = 0;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 128 >> (bit & 7);
    const hit = bit >> 3 < size ? -1 : ends.findIndex((end) => bit >> 3 < end);
    let found: readonly (Packet | null)[];
    try {
      found = readStream(damaged, () => packets.length).packets;
    } catch (error) {
      if (!(error instanceof FormatError) || hit !== -1) wrong++;
      continue;
    }
    // A flipped header bit fails every packet; else all but the damaged one are as they were.
    for (const [i, packet] of packets.entries()) {
      const got = found[i] ?? null;
      const touched = hit === -1 || i === hit;
      if (touched ? got !== null : got?.map(hex).join() !== packet.map(hex).join()) {
        if (got === null) lost++;
        else wrong++;
      }
    }
  }
  t.equal(wrong, 0, `${8 * bytes.length} bits`);
  t.equal(lost, 0);
});

t.test('lost stretches: whole packets cut out, the rest found again', async (t) => {
  const packets = randomPackets(30, 1, 13, 8).map(([stage]) => [
    Uint8Array.from({ length: 12 }, (_, i) => stage?.[i] ?? i),
  ]);
  const header = { ...several, codebooks: 1 };
  const bytes = writeStream(header, packets);
  const { size } = parseHeader(bytes);
  const packetSize = 15;
  // Packets 5 to 9 are gone, bytes and all; a stretch of noise stands where packet 20 was.
  const cut = new Uint8Array([
    ...bytes.subarray(0, size + 5 * packetSize),
    ...bytes.subarray(size + 10 * packetSize),
  ]);
  const noisy = cut.slice();
  const random = createRandom(9);
  for (let i = 0; i < packetSize; i++) noisy[size + 15 * packetSize + i] = Math.floor(random() * 256);
  const found = readStream(noisy, () => 30).packets;
  const missing = Array.from({ length: 30 }, (_, i) => i).filter((i) => !found[i]);
  t.same(missing, [5, 6, 7, 8, 9, 20]);
  const end = readStream(bytes.subarray(0, bytes.length - 20), () => 30);
  t.equal(end.packets.length, 28, 'a file cut short keeps what came before');
  t.equal(end.trailingBytes, 10);
});

t.test('fewer codebooks without decoding', async (t) => {
  const packets = randomPackets(4, 3, 13, 10);
  const header = { ...several, codebooks: 3 };
  const bytes = writeStream(header, packets);
  for (let k = 1; k <= 3; k++) {
    const less = truncateCodebooks(bytes, k);
    t.equal(
      hex(less),
      hex(
        writeStream(
          { ...header, codebooks: k },
          packets.map((packet) => packet.slice(0, k)),
        ),
      ),
    );
  }
  t.throws(() => truncateCodebooks(bytes, 4), UsageError);
  t.throws(() => truncateCodebooks(bytes, 0), UsageError);
  const damaged = bytes.slice();
  damaged[damaged.length - 1]! ^= 1;
  t.throws(() => truncateCodebooks(damaged, 1), { code: 'ACOM_CORRUPT' });
});

t.test('what is no stream', async (t) => {
  const wrong: [string, number[], RegExp][] = [
    ['nothing', [], /empty/],
    ['text', [...ascii('hello world')], /first byte/],
    ['the magic alone', [0xac], /ends in its version/],
    ['version 0', [0xac, 0x01, 0, 0, 0, 0, 0, 0], /version 0/],
    ['version 7', [0xac, 0xe1, 0, 0, 0, 0, 0, 0], /version 7.*newer acom/],
    ['no codebooks', [0xac, 0x20, 0, 0, 0, 0, 0, 0], /0 codebooks/],
    ['half a fingerprint', [0xac, 0x21, 1, 2], /ends in its fingerprint/],
    ['half a sample count', [0xac, 0x21, 1, 2, 3, 4, 0xc0, 1], /ends in its sample count/],
    ['packets of 0 vectors', [0xac, 0x31, 1, 2, 3, 4, 0, 1, 0], /packets of 0 vectors/],
    ['an endless varint', [0xac, 0x31, 1, 2, 3, 4, 0, 1, 255, 255, 255, 255, 255], /too large/],
  ];
  for (const [what, bytes, message] of wrong) {
    t.throws(() => readStream(Uint8Array.from(bytes)), { name: 'FormatError', message }, what);
  }
  t.throws(() => writeStream({ ...several, codebooks: 16 }, []), UsageError);
  t.throws(() => writeStream({ ...several, vectorsPerPacket: 0 }, []), UsageError);
  t.throws(() => writeStream(several, [[new Uint8Array(1)]]), UsageError);
});

t.test('10,000 damaged files: typed errors only, in little time and memory', async (t) => {
  const single: StreamHeader = { codebooks: 2, fingerprint: 5, samples: 30_000, vectorsPerPacket: 0 };
  const originals = [
    writeStream(single, randomPackets(1, 2, 20, 11)),
    writeStream(several, randomPackets(10, 2, 13, 12)),
    writeStream({ ...several, vectorsPerPacket: 300 }, randomPackets(5, 2, 300, 13)),
  ];
  const result = fuzz(originals, 10_000, (bytes) => readStream(bytes, () => 10));
  t.same(result.crashes, []);
  t.ok(result.mostBytes < 1 << 20, `${result.mostBytes} bytes at most`);
  t.ok(result.slowestMilliseconds < 1000, `${result.slowestMilliseconds.toFixed(1)} ms at most`);
});

t.test('a megabyte made to be searched ends soon', async (t) => {
  // Lengths that all look possible, checksums that are all wrong.
  const bytes = new Uint8Array(1 << 20).fill(100);
  bytes.set([0xac, 0x31, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
  const start = performance.now();
  t.same(readStream(bytes).packets, []);
  t.ok(performance.now() - start < 5000);
});
