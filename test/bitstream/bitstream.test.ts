import fc from 'fast-check';
import t from 'tap';
import { crc16Word, crc32Word, crc32WordBetween } from '../../src/bitstream/crc.js';
import {
  CODINGS,
  crc16,
  crc32,
  encodeHeader,
  looksLikeStream,
  MOST_SAMPLES,
  type Packet,
  parseHeader,
  readStream,
  type StreamHeader,
  writeStream,
} from '../../src/bitstream/index.js';
import { UsageError } from '../../src/tensor/index.js';
import { hex, randomPackets, several, single, textOf } from './packets.js';

const ascii = (text: string) => new TextEncoder().encode(text);

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

/** With checksums from Python: zlib's CRC-32, and CRC-16/MODBUS bit by bit. */
t.test('golden bytes: a change here is a new format version', async (t) => {
  const packet = (stages: number, ...run: number[]): Packet => ({ stages, run: Uint8Array.from(run) });
  const one = writeStream({ ...single, fingerprint: 0x01020304 }, [packet(1, 0xaa, 0xbb)]);
  t.equal(hex(one), 'ac11010203045dc0aabb728a', 'version, options, fingerprint, samples, run, checksum');
  t.equal(
    hex(writeStream({ ...several, samples: 5 }, [packet(2, 1, 2, 3)])),
    'ac92deadbeef00050d0301020349cc',
  );
  const varying: StreamHeader = {
    ...several,
    coding: 'context',
    varying: true,
    codebooks: 3,
    samples: 0xffff,
  };
  t.equal(
    hex(writeStream(varying, [packet(2, 1, 2, 3), packet(0), packet(3, ...new Array<number>(40).fill(7))])),
    `acf3deadbeef80ffff0d0e01020365b1003486a301${'07'.repeat(40)}284b`,
    'lengths times 4, and stages',
  );
  const long: StreamHeader = { ...single, coding: 'adaptive', fingerprint: 0x01020304, samples: 5 };
  t.equal(
    hex(writeStream(long, [packet(1, ...new Array<number>(300).fill(0xee))])),
    `ac21010203040005${'ee'.repeat(300)}f9037f2a`,
    'a long checksum',
  );
});

t.test('what is written is read back', async (t) => {
  const headers = fc
    .record({
      coding: fc.constantFrom(...CODINGS),
      varying: fc.boolean(),
      codebooks: fc.integer({ min: 1, max: 15 }),
      fingerprint: fc.nat(0xffffffff),
      samples: fc.oneof(fc.nat(40_000), fc.nat(5_000_000), fc.integer({ min: 0, max: MOST_SAMPLES })),
      vectorsPerPacket: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400 }), fc.constant(2 ** 28 - 1)),
    })
    .map((header) => ({ ...header, varying: header.varying && header.vectorsPerPacket > 0 }));
  const property = fc.property(
    headers,
    fc.integer({ min: 1, max: 6 }),
    fc.integer(),
    (header, count, seed) => {
      const { codebooks, vectorsPerPacket } = header;
      const vectors = vectorsPerPacket === 0 ? 100 : Math.min(500, vectorsPerPacket);
      const packets = randomPackets(
        header,
        vectorsPerPacket === 0 ? 1 : count,
        Math.min(700, 2 * vectors * codebooks),
        seed,
      );
      const bytes = writeStream(header, packets);
      const back = readStream(bytes, () => packets.length);
      const blind = readStream(bytes);
      const same = (found: readonly (Packet | null)[]) =>
        found.length === packets.length && found.every((packet, i) => textOf(packet) === textOf(packets[i]));
      return (
        JSON.stringify(back.header) === JSON.stringify(header) &&
        parseHeader(encodeHeader(header)).size === encodeHeader(header).length &&
        same(back.packets) &&
        same(blind.packets) &&
        back.trailingBytes === 0 &&
        looksLikeStream(bytes)
      );
    },
  );
  fc.assert(property, { seed: 1, numRuns: 600 });
  t.pass();
});

t.test('header and framing of three seconds at 8 kHz: 10 bytes', async (t) => {
  t.equal(writeStream(single, [{ stages: 1, run: new Uint8Array(38) }]).length, 48);
});

t.test('a packet that carries nothing has 3 bytes', async (t) => {
  const header = { ...several, varying: true };
  const nothing = { stages: 0, run: new Uint8Array() };
  const bytes = writeStream(header, [nothing, nothing]);
  t.equal(bytes.length, parseHeader(bytes).size + 6);
  t.same(
    readStream(bytes, () => 2).packets.map((packet) => packet?.stages),
    [0, 0],
  );
});

t.test('bytes after a single packet are noticed, at every length', async (t) => {
  const accepted: string[] = [];
  for (let length = 250; length < 262; length++) {
    const bytes = writeStream(single, [{ stages: 1, run: new Uint8Array(length).fill(7) }]);
    t.equal(readStream(bytes).packets[0]?.run.length, length);
    for (let extra = 1; extra <= 4; extra++) {
      const longer = new Uint8Array([...bytes, ...new Uint8Array(extra).fill(1)]);
      if (readStream(longer).packets[0]) accepted.push(`${extra} after ${length}`);
    }
  }
  t.same(accepted, []);
});

t.test('what is no stream', async (t) => {
  const wrong: [string, number[], RegExp][] = [
    ['nothing', [], /empty/],
    ['text', [...ascii('hello world')], /first byte is not 0xAC/],
    ['the byte before the first version', [0xab, 0x11, 0, 0, 0, 0, 0, 0], /first byte is not 0xAC/],
    ['the byte after the last version', [0xb0, 0x11, 0, 0, 0, 0, 0, 0], /first byte is not 0xAC/],
    ['the magic alone', [0xac], /ends in its options/],
    ['version 2', [0xad, 0x11, 0, 0, 0, 0, 0, 0], /version 2 .*newer acom/],
    ['version 3', [0xae, 0x11, 0, 0, 0, 0, 0, 0], /version 3 .*newer acom/],
    ['version 4', [0xaf, 0x11, 0, 0, 0, 0, 0, 0], /version 4 .*newer acom/],
    ['no codebooks', [0xac, 0x10, 0, 0, 0, 0, 0, 0], /0 codebooks/],
    ['one packet that varies', [0xac, 0x51, 0, 0, 0, 0, 0, 0], /one packet, and that its stages vary/],
    ['half a fingerprint', [0xac, 0x11, 1, 2], /ends in its fingerprint/],
    ['half a sample count', [0xac, 0x11, 1, 2, 3, 4, 0xc0, 1], /ends in its sample count/],
    ['packets of 0 vectors', [0xac, 0x91, 1, 2, 3, 4, 0, 1, 0], /packets of 0 vectors/],
    ['half a varint', [0xac, 0x91, 1, 2, 3, 4, 0, 1, 255], /cut short/],
    ['an endless varint', [0xac, 0x91, 1, 2, 3, 4, 0, 1, 255, 255, 255, 255, 255], /too large/],
  ];
  for (const [what, bytes, message] of wrong) {
    t.throws(() => readStream(Uint8Array.from(bytes)), { name: 'FormatError', message }, what);
  }
  for (const first of [0xac, 0xad, 0xae, 0xaf]) t.ok(looksLikeStream(Uint8Array.of(first, 0x11)));
  for (const first of [0xab, 0xb0, 0]) t.notOk(looksLikeStream(Uint8Array.of(first, 0x11)));
});

t.test('what cannot be written', async (t) => {
  const packet = (stages: number, bytes: number): Packet => ({ stages, run: new Uint8Array(bytes) });
  const varying = { ...several, varying: true };
  const wrong: [string, StreamHeader, Packet[]][] = [
    ['16 codebooks', { ...several, codebooks: 16 }, []],
    ['too many samples', { ...several, samples: MOST_SAMPLES + 1 }, []],
    ['packets of too many vectors', { ...several, vectorsPerPacket: 2 ** 28 }, []],
    ['several packets in one', { ...several, vectorsPerPacket: 0 }, []],
    ['another coding', { ...several, coding: 'huffman' as StreamHeader['coding'] }, []],
    ['one packet that varies', { ...single, varying: true }, [packet(1, 1)]],
    ['too few stages where all have as many', several, [packet(1, 1)]],
    ['nothing where all have as many', several, [packet(0, 0)]],
    ['too many stages', varying, [packet(3, 1)]],
    ['stages below 0', varying, [packet(-1, 1)]],
    ['bytes of nothing', varying, [packet(0, 1)]],
  ];
  for (const [what, header, packets] of wrong) t.throws(() => writeStream(header, packets), UsageError, what);
});

t.test('bytes from fetch, and what is none', async (t) => {
  const bytes = writeStream(single, [{ stages: 1, run: Uint8Array.from([1, 2]) }]);
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer)) throw new Error('no ArrayBuffer');
  t.same(readStream(buffer).packets, readStream(bytes).packets);
  for (const wrong of [undefined, null, 'ac21', [0xac], new Float32Array(3), new DataView(buffer)]) {
    t.throws(() => readStream(wrong as unknown as Uint8Array), {
      code: 'ACOM_USAGE',
      message: /must be a Uint8Array or an ArrayBuffer, not/,
    });
  }
});
