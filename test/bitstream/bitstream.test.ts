import fc from 'fast-check';
import t from 'tap';
import { crc16Word, crc32Word, crc32WordBetween } from '../../src/bitstream/crc.js';
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
  t.equal(crc32(ascii('..123456789.'), 0, 2, 11), 0xcbf43926, 'a stretch');
  t.equal(crc16(ascii('..123456789.'), 0xffff, 2, 11), 0x4b37, 'a stretch');
  t.equal(crc32Word(0x36373839, crc32(ascii('12345'))), 0xcbf43926, 'a word is its bytes');
  t.equal(crc16Word(0x36373839, crc16(ascii('12345'))), 0x4b37, 'a word is its bytes');
  const word = fc.nat(0xffffffff);
  const undone = fc.property(word, word, (x, before) => crc32WordBetween(before, crc32Word(x, before)) === x);
  fc.assert(undone, { seed: 3 });
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

/** An hour in packets of a second, as noise gives them: all of the same length, which is the hardest case. */
function hourStream(count = 3600) {
  const random = createRandom(20);
  const packets = Array.from({ length: count }, () => [
    Uint8Array.from({ length: 13 }, () => Math.floor(random() * 256)),
  ]);
  const bytes = writeStream({ ...several, codebooks: 1, samples: 8000 * count }, packets);
  const { size } = parseHeader(bytes);
  /** The packet that byte `at` belongs to. */
  const packetAt = (at: number) => Math.floor((at - size) / 16);
  return { packets, bytes, size, packetAt };
}

t.test('a burst costs the packets that it hits and no others, however many', async (t) => {
  const { packets, bytes, packetAt } = hourStream();
  const random = createRandom(21);
  const at = 20_011;
  const noise = Uint8Array.from({ length: 1024 }, () => Math.floor(random() * 256));
  const around = (middle: Uint8Array, gone: number) =>
    new Uint8Array([...bytes.subarray(0, at), ...middle, ...bytes.subarray(at + gone)]);
  const cases: [what: string, damaged: Uint8Array, touched: number][] = [
    ['1,024 bytes of noise', around(noise, 1024), 1024],
    ['1,024 zeros', around(new Uint8Array(1024), 1024), 1024],
    ['1,024 times 13', around(new Uint8Array(1024).fill(13), 1024), 1024],
    ['1,024 bytes gone', around(new Uint8Array(0), 1024), 1024],
    ['20,000 bytes gone', around(new Uint8Array(0), 20_000), 20_000],
    ['20,000 bytes for noise of 1,024', around(noise, 20_000), 20_000],
    ['1,024 bytes too many', around(noise, 0), 1],
  ];
  for (const [what, damaged, touched] of cases) {
    const found = readStream(damaged, () => packets.length).packets;
    const [first, last] = [packetAt(at), packetAt(at + touched - 1)];
    const wrong = packets.flatMap((packet, i) => {
      const expected = i < first || i > last ? packet.map(hex).join() : undefined;
      return found[i]?.map(hex).join() === expected ? [] : [i];
    });
    t.same(wrong, [], `${what}: packets ${first} to ${last} are lost`);
  }
});

t.test('packets with long checksums are found again too', async (t) => {
  const random = createRandom(22);
  const packets = Array.from({ length: 200 }, () =>
    Array.from({ length: 2 }, () =>
      Uint8Array.from({ length: 150 + Math.floor(random() * 150) }, () => Math.floor(random() * 256)),
    ),
  );
  const bytes = writeStream({ ...several, vectorsPerPacket: 200 }, packets);
  // Two lengths of two bytes each, and four of checksum.
  const ends = packets.map(() => 0);
  let at = parseHeader(bytes).size;
  for (const [i, packet] of packets.entries()) {
    at += packet.reduce((sum, stage) => sum + stage.length + 2, 4);
    ends[i] = at;
  }
  t.equal(at, bytes.length);
  const [from, to] = [2000, 50_000];
  const found = readStream(bytes.slice().fill(0xee, from, to), () => packets.length).packets;
  const wrong = packets.flatMap((packet, i) => {
    const hit = ends[i]! > from && (ends[i - 1] ?? 0) < to;
    return found[i]?.map(hex).join() === (hit ? undefined : packet.map(hex).join()) ? [] : [i];
  });
  t.same(wrong, []);
});

t.test('a damaged header gives no packet another number, many as there are', async (t) => {
  const { packets, bytes, size } = hourStream(1200);
  let survivors = 0;
  for (let bit = 16; bit < 8 * size; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 128 >> (bit & 7);
    survivors += readStream(damaged, () => packets.length).packets.filter(Boolean).length;
  }
  t.equal(survivors, 0);
});

t.test(
  'a header damaged so that an hour of checksums pass for others: three in eight are too few',
  async (t) => {
    const { packets, bytes, size } = hourStream();
    // Off by this, packets 831 and on have the checksums of 1440 and on in three of eight (found by trying all).
    const off = 0xd602;
    const ofZeros = (head: Uint8Array) => crc16Word(0, crc16(new Uint8Array(14), crc16(head)));
    const head = bytes.slice(0, size);
    const changed = Array.from({ length: 1 << 16 }, (_, mask) => mask).find((mask) => {
      const other = head.slice();
      other[4]! ^= mask >> 8;
      other[5]! ^= mask & 255;
      return (ofZeros(other) ^ ofZeros(head)) === off;
    })!;
    const damaged = bytes.slice();
    damaged[4]! ^= changed >> 8;
    damaged[5]! ^= changed & 255;
    t.same(readStream(damaged, () => packets.length).packets, []);
  },
);

t.test('bytes after a single packet are noticed, at every length', async (t) => {
  const header: StreamHeader = { codebooks: 1, fingerprint: 5, samples: 9, vectorsPerPacket: 0 };
  const accepted: string[] = [];
  for (let length = 250; length < 262; length++) {
    const bytes = writeStream(header, [[new Uint8Array(length).fill(7)]]);
    t.equal(readStream(bytes).packets[0]?.[0]?.length, length);
    for (let extra = 1; extra <= 4; extra++) {
      const longer = new Uint8Array([...bytes, ...new Uint8Array(extra).fill(1)]);
      if (readStream(longer).packets[0]) accepted.push(`${extra} after ${length}`);
    }
  }
  t.same(accepted, []);
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
  const result = await fuzz(originals, 10_000, (bytes) => readStream(bytes, () => 10));
  t.same(result.crashes, []);
  t.ok(result.mostBytes < 1 << 20, `${result.mostBytes} bytes at most`);
  t.ok(result.slowestMilliseconds < 1000, `${result.slowestMilliseconds.toFixed(1)} ms at most`);
});

t.test('megabytes made to be searched end soon', async (t) => {
  const [few, many] = [
    [0xac, 0x31, 1, 2, 3, 4, 0, 1, 13],
    [0xac, 0x31, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  ];
  // Lengths that all look possible, checksums that are all wrong; and lengths that never end.
  for (const fill of [0, 13, 100, 0x80, 0x81]) {
    for (const head of [few!, many!]) {
      const bytes = new Uint8Array(4 << 20).fill(fill);
      bytes.set(head);
      const start = performance.now();
      t.same(readStream(bytes).packets, []);
      const milliseconds = performance.now() - start;
      t.ok(milliseconds < 1500, `${fill}, header of ${head.length}: ${milliseconds.toFixed(0)} ms`);
    }
  }
  const large = new Uint8Array(100 << 20).fill(0x80);
  large.set(few!);
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  t.same(readStream(large).packets, []);
  t.ok(performance.now() - start < 1500, `100 MB: ${(performance.now() - start).toFixed(0)} ms`);
  t.ok(process.memoryUsage().arrayBuffers - before < 32 << 20, 'and little memory');
});

t.test('bytes from fetch, and what is none', async (t) => {
  const header: StreamHeader = { codebooks: 1, fingerprint: 5, samples: 9, vectorsPerPacket: 0 };
  const bytes = writeStream(header, [[Uint8Array.from([1, 2])]]);
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer)) throw new Error('no ArrayBuffer');
  t.same(readStream(buffer).packets, readStream(bytes).packets);
  t.same(truncateCodebooks(buffer, 1), bytes);
  for (const wrong of [undefined, null, 'ac21', [0xac], new Float32Array(3), new DataView(buffer)]) {
    t.throws(() => readStream(wrong as unknown as Uint8Array), {
      code: 'ACOM_USAGE',
      message: /must be a Uint8Array or an ArrayBuffer, not/,
    });
  }
});
