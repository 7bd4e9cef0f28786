/** Messages of live streams: there and back, in the face of damage, and byte for byte as the specification has them. */
import fc from 'fast-check';
import t from 'tap';
import {
  CODINGS,
  crc16,
  encodeLivePacket,
  encodeOpening,
  type LiveHeader,
  parseLivePacket,
  parseOpening,
} from '../../src/bitstream/index.js';
import { CorruptStreamError, FormatError, UsageError } from '../../src/tensor/index.js';

const header: LiveHeader = { coding: 'context', codebooks: 2, fingerprint: 0x12345678, vectorsPerPacket: 2 };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('the worked example of the specification', async (t) => {
  const opening = encodeOpening(header);
  t.equal(hex(opening.subarray(0, 9)), 'acb212345678000002');
  t.same([...opening.subarray(9)], [crc16(opening.subarray(0, 9)) >> 8, crc16(opening.subarray(0, 9)) & 255]);
  // The checksum by hand: opening, body, and the spread number of packet 0 and of packet 129.
  const run = Uint8Array.of(1, 2, 3);
  const checked = (body: readonly number[], spread: readonly number[]) => {
    const crc = crc16(Uint8Array.of(...opening, ...body, ...spread));
    return hex(Uint8Array.of(...body, crc >> 8, crc & 255));
  };
  t.equal(
    hex(encodeLivePacket(opening, { number: 0, run, lastSamples: null })),
    checked([0, 1, 2, 3], [0x9e, 0x37, 0x79, 0xb1]),
  );
  const spread = Math.imul(130, 0x9e3779b1) >>> 0;
  t.equal(
    hex(encodeLivePacket(opening, { number: 129, run, lastSamples: 300 })),
    checked(
      [0x81, 0xac, 0x02, 1, 2, 3],
      [spread >>> 24, (spread >>> 16) & 255, (spread >>> 8) & 255, spread & 255],
    ),
  );
});

t.test('there and back', async (t) => {
  fc.assert(
    fc.property(
      fc.record({
        coding: fc.constantFrom(...CODINGS),
        codebooks: fc.integer({ min: 1, max: 15 }),
        fingerprint: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        vectorsPerPacket: fc.integer({ min: 1, max: 2 ** 28 - 1 }),
      }),
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 0, max: 90 }),
      fc.uint8Array({ maxLength: 400 }),
      fc.option(fc.integer({ min: 0, max: 2 ** 28 - 1 })),
      (head, expected, gap, run, lastSamples) => {
        const opening = encodeOpening(head);
        const { coding, codebooks, fingerprint, vectorsPerPacket } = parseOpening(opening);
        t.same({ coding, codebooks, fingerprint, vectorsPerPacket }, head);
        const number = expected + gap;
        const bytes = encodeLivePacket(opening, { number, run, lastSamples });
        const found = parseLivePacket(opening, bytes, expected);
        t.equal(found.number, number);
        t.equal(found.lastSamples, lastSamples);
        t.same([...found.run], [...run]);
        // Late, or once more
        if (gap > 0 && gap < 30) t.equal(parseLivePacket(opening, bytes, number + gap).number, number);
      },
    ),
    { numRuns: 300 },
  );
});

t.test('damage: any bit, two bytes at once, any cut, any packet of another stream', async (t) => {
  const opening = encodeOpening(header);
  const other = encodeOpening({ ...header, fingerprint: 1 });
  const packet = encodeLivePacket(opening, { number: 7, run: Uint8Array.of(9, 8, 7, 6), lastSamples: null });
  t.throws(() => parseLivePacket(other, packet, 7), CorruptStreamError);
  const isRead = (bytes: Uint8Array): boolean => {
    try {
      return parseLivePacket(opening, bytes, 7) !== null;
    } catch {
      return false;
    }
  };
  t.ok(isRead(packet));
  for (let length = 0; length < packet.length; length++) {
    t.throws(() => parseLivePacket(opening, packet.subarray(0, length), 7), CorruptStreamError);
  }
  for (let bit = 0; bit < 8 * packet.length; bit++) {
    const damaged = packet.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    t.throws(() => parseLivePacket(opening, damaged, 7), CorruptStreamError, `bit ${bit}`);
  }
  // Bursts of 16 bits are seen by the CRC wherever they are but in the number, which says what the CRC is to be.
  for (let at = 1; at + 1 < packet.length; at++) {
    for (let change = 1; change < 65_536; change += 17) {
      const damaged = packet.slice();
      damaged[at]! ^= change >> 8;
      damaged[at + 1]! ^= change & 255;
      if (isRead(damaged)) t.fail(`bytes ${at} and ${at + 1}, changed by ${change}`);
    }
  }
  for (let bit = 0; bit < 8 * opening.length; bit++) {
    const damaged = opening.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    t.throws(() => parseOpening(damaged), FormatError, `bit ${bit} of the opening`);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 500 }), (bytes, expected) => {
      for (const parse of [() => parseOpening(bytes), () => parseLivePacket(opening, bytes, expected)]) {
        try {
          parse();
        } catch (error) {
          if (!(error instanceof FormatError || error instanceof CorruptStreamError)) throw error;
        }
      }
    }),
    { numRuns: 2000 },
  );
});

t.test('what is no live stream', async (t) => {
  const file = Uint8Array.of(0xac, 0x32, 1, 2, 3, 4, 0, 9, 0, 0);
  t.throws(() => parseOpening(file), /beginning of a file/);
  t.throws(() => parseOpening(new Uint8Array()), FormatError);
  t.throws(() => parseOpening(Uint8Array.of(0xad, 0xb2, 1, 2, 3, 4, 0, 0, 2, 0, 0)), /version 2/);
  t.throws(() => encodeOpening({ ...header, vectorsPerPacket: 0 }), UsageError);
  const opening = encodeOpening(header);
  const run = new Uint8Array(70_000);
  t.throws(() => encodeLivePacket(opening, { number: 0, run, lastSamples: null }), UsageError);
  t.throws(
    () => encodeLivePacket(opening, { number: 0, run: Uint8Array.of(), lastSamples: 2 ** 28 }),
    UsageError,
  );
  t.throws(() => parseLivePacket(opening, run, 0), CorruptStreamError);
  for (const number of [-1, 1.5, Number.NaN]) {
    t.throws(
      () => encodeLivePacket(opening, { number, run: Uint8Array.of(), lastSamples: null }),
      UsageError,
    );
  }
});
