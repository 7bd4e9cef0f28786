/** Damaged streams: what is lost, what is found again, and how long that takes. */
import t from 'tap';
import { crc16, crc16Word } from '../../src/bitstream/crc.js';
import {
  type Packet,
  parseHeader,
  readStream,
  type StreamHeader,
  writeStream,
} from '../../src/bitstream/index.js';
import { createRandom, FormatError } from '../../src/tensor/index.js';
import { fuzz } from '../support/fuzz.js';
import { hourStream, randomPackets, several, single, textOf } from './packets.js';

const varying: StreamHeader = { ...several, varying: true };

t.test('every flipped bit is noticed, and costs no packet but its own', async (t) => {
  for (const header of [several, varying]) {
    const packets = randomPackets(header, 12, 40, 7);
    const bytes = writeStream(header, packets);
    const { size } = parseHeader(bytes);
    const ends: number[] = [];
    let at = size;
    for (const { run } of packets) {
      at += run.length + 3;
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
        if (touched ? got !== null : textOf(got) !== textOf(packet)) {
          if (got === null) lost++;
          else wrong++;
        }
      }
    }
    t.equal(wrong, 0, `${8 * bytes.length} bits`);
    t.equal(lost, 0);
  }
});

t.test('lost stretches: whole packets cut out, the rest found again', async (t) => {
  const random = createRandom(9);
  const header = { ...several, codebooks: 1 };
  const packets = Array.from({ length: 30 }, () => ({
    stages: 1,
    run: Uint8Array.from({ length: 12 }, () => Math.floor(random() * 256)),
  }));
  const bytes = writeStream(header, packets);
  const { size } = parseHeader(bytes);
  const packetSize = 15;
  // Packets 5 to 9 are gone, bytes and all; a stretch of noise stands where packet 20 was.
  const cut = new Uint8Array([
    ...bytes.subarray(0, size + 5 * packetSize),
    ...bytes.subarray(size + 10 * packetSize),
  ]);
  const noisy = cut.slice();
  for (let i = 0; i < packetSize; i++) noisy[size + 15 * packetSize + i] = Math.floor(random() * 256);
  const found = readStream(noisy, () => 30).packets;
  const missing = Array.from({ length: 30 }, (_, i) => i).filter((i) => !found[i]);
  t.same(missing, [5, 6, 7, 8, 9, 20]);
  const end = readStream(bytes.subarray(0, bytes.length - 20), () => 30);
  t.equal(end.packets.length, 28, 'a file cut short keeps what came before');
  t.equal(end.trailingBytes, 10);
});

t.test('packets of any length are found again after noise, those that carry nothing too', async (t) => {
  let [cases, wrong, lost] = [0, 0, 0];
  for (const [seed, header] of [several, varying, { ...varying, codebooks: 4 }].entries()) {
    const packets = randomPackets(header, 200, 50, 14 + seed);
    const bytes = writeStream(header, packets);
    const random = createRandom(30 + seed);
    let from = parseHeader(bytes).size;
    for (const [i, { stages, run }] of packets.entries()) {
      const length = header.varying ? run.length * (header.codebooks + 1) + stages : run.length;
      const end = from + run.length + (length < 128 ? 3 : 4);
      const noise = Uint8Array.from({ length: Math.floor(60 * random()) }, () => Math.floor(random() * 256));
      const damaged = new Uint8Array([...bytes.subarray(0, from), ...noise, ...bytes.subarray(end)]);
      const found = readStream(damaged, () => packets.length).packets.map(textOf);
      const others = packets.map((packet, n) => (n === i ? undefined : textOf(packet)));
      cases++;
      if (others.some((own, n) => found[n] !== undefined && found[n] !== own)) wrong++;
      else if (others.some((own, n) => found[n] !== own)) lost++;
      from = end;
    }
    t.equal(from, bytes.length);
  }
  t.equal(wrong, 0, `${cases} streams`);
  // Where noise is read as lengths, these may lead past a good packet to the one after it.
  t.ok(lost <= cases / 100, `${lost} streams lost another packet`);
});

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
      const expected = i < first || i > last ? textOf(packet) : undefined;
      return textOf(found[i]) === expected ? [] : [i];
    });
    t.same(wrong, [], `${what}: packets ${first} to ${last} are lost`);
  }
});

t.test('packets with long checksums are found again too', async (t) => {
  const random = createRandom(22);
  const packets = Array.from({ length: 200 }, () => ({
    stages: 2,
    run: Uint8Array.from({ length: 300 + Math.floor(random() * 300) }, () => Math.floor(random() * 256)),
  }));
  const bytes = writeStream({ ...several, vectorsPerPacket: 200 }, packets);
  // A length of two bytes, and four of checksum.
  const ends = packets.map(() => 0);
  let at = parseHeader(bytes).size;
  for (const [i, { run }] of packets.entries()) {
    at += run.length + 6;
    ends[i] = at;
  }
  t.equal(at, bytes.length);
  const [from, to] = [2000, 50_000];
  const found = readStream(bytes.slice().fill(0xee, from, to), () => packets.length).packets;
  const wrong = packets.flatMap((packet, i) => {
    const hit = ends[i]! > from && (ends[i - 1] ?? 0) < to;
    return textOf(found[i]) === (hit ? undefined : textOf(packet)) ? [] : [i];
  });
  t.same(wrong, []);
});

t.test('a damaged header gives no packet another number, many as there are', async (t) => {
  const { packets, bytes, size } = hourStream(1200);
  let survivors = 0;
  // Bit 8 says that there are several packets: without it, one.
  for (let bit = 8; bit < 8 * size; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 128 >> (bit & 7);
    try {
      survivors += readStream(damaged, () => packets.length).packets.filter(Boolean).length;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
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

t.test('10,000 damaged files: typed errors only, in little time and memory', async (t) => {
  const long: StreamHeader = { ...several, vectorsPerPacket: 300 };
  const originals = [
    writeStream(single, randomPackets(single, 1, 80, 11)),
    writeStream(several, randomPackets(several, 10, 50, 12)),
    writeStream(varying, randomPackets(varying, 10, 50, 16)),
    writeStream(long, randomPackets(long, 5, 1200, 13)),
  ];
  const result = await fuzz(originals, 10_000, (bytes) => readStream(bytes, () => 10));
  t.same(result.crashes, []);
  t.ok(result.mostBytes < 1 << 20, `${result.mostBytes} bytes at most`);
  t.ok(result.slowestMilliseconds < 1000, `${result.slowestMilliseconds.toFixed(1)} ms at most`);
});

t.test('megabytes made to be searched end soon', async (t) => {
  const few = [0xac, 0x91, 1, 2, 3, 4, 0, 1, 13];
  const heads = [
    few,
    [0xac, 0x91, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0xac, 0xdf, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  ];
  // Lengths that all look possible, checksums that are all wrong; and lengths that never end. Half a second each where nothing else
  // runs; what is guarded against takes hours.
  for (const fill of [0, 13, 100, 0x80, 0x81]) {
    for (const head of heads) {
      const bytes = new Uint8Array(4 << 20).fill(fill);
      bytes.set(head);
      const start = performance.now();
      t.same(readStream(bytes).packets, []);
      const milliseconds = performance.now() - start;
      t.ok(milliseconds < 15_000, `${fill}, header of ${head.length}: ${milliseconds.toFixed(0)} ms`);
    }
  }
  const large = new Uint8Array(100 << 20).fill(0x80);
  large.set(few);
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  t.same(readStream(large).packets, []);
  t.ok(performance.now() - start < 15_000, `100 MB: ${(performance.now() - start).toFixed(0)} ms`);
  t.ok(process.memoryUsage().arrayBuffers - before < 32 << 20, 'and little memory');
});
