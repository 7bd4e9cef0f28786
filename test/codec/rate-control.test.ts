/** Keeping to a bit rate, and streams whose packets have not all the same codebooks. */
import fc from 'fast-check';
import t from 'tap';
import { encodeHeader, readStream, writeStream } from '../../src/bitstream/index.js';
import { PacketBudget } from '../../src/codec/packet-budget.js';
import { concatenate } from '../../src/tensor/index.js';
import { loadCommands, readSamples } from '../support/commands.js';

const model = await loadCommands();
const encoder = await model.deviceEncoder();
const decoder = await model.cloudDecoder();
const RATE = 8000;
const spoken = concatenate(
  readSamples().flatMap(({ samples, sampleRate }) => (sampleRate === RATE ? [samples] : [])),
);
/** A minute and a half. */
const long = Float32Array.from({ length: 90 * RATE }, (_, n) => spoken[n % spoken.length]!);

/** Bytes of each packet, its length and checksum too. */
function packetSizes(bytes: Uint8Array): number[] {
  const { header, packets } = readStream(bytes);
  const head = encodeHeader(header).length;
  return packets.map((packet) => writeStream(header, [packet!]).length - head);
}

t.test('no stretch of a stream has more than its target and one packet', async (t) => {
  for (const targetBitRate of [16, 25, 40, 60, 100, 1000]) {
    for (const packetSeconds of [2, 5, 9]) {
      const bytes = encoder.encode(long, RATE, { targetBitRate, packetSeconds });
      const sizes = packetSizes(bytes);
      const seconds = readStream(bytes).header.vectorsPerPacket / encoder.coder.timing.vectorsPerSecond;
      const each = (targetBitRate * seconds) / 8;
      const most = Math.max(each, ...sizes);
      for (let from = 0; from < sizes.length; from++) {
        let sum = 0;
        for (let to = from; to < sizes.length; to++) {
          sum += sizes[to]!;
          if (sum > (to - from + 1) * each + most + 1e-9) {
            t.fail(`${targetBitRate} bit/s, packets of ${seconds} s: ${sum} bytes from ${from} to ${to}`);
          }
        }
      }
    }
  }
  t.pass();
});

t.test('a budget of any sizes: nothing is spent that was not given, but for one packet', async (t) => {
  const sizes = fc.array(fc.array(fc.integer({ min: 3, max: 400 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 60,
  });
  const property = fc.property(sizes, fc.integer({ min: 4, max: 300 }), (packets, perPacket) => {
    const budget = new PacketBudget(perPacket);
    const spent = packets.map((own) => {
      const ascending = [...own].sort((a, b) => a - b);
      const chosen = budget.spend(ascending, 3);
      return chosen < 0 ? 3 : ascending[chosen]!;
    });
    const most = Math.max(perPacket, ...packets.map((own) => Math.min(...own)));
    for (let from = 0; from < spent.length; from++) {
      let sum = 0;
      for (let to = from; to < spent.length; to++) {
        sum += spent[to]!;
        if (sum > (to - from + 1) * perPacket + most) return false;
      }
    }
    return true;
  });
  fc.assert(property, { seed: 4, numRuns: 500 });
  t.pass();
});

t.test('more bits, more codebooks; too few, and packets carry nothing', async (t) => {
  const used = (targetBitRate: number) => {
    const bytes = encoder.encode(long, RATE, { targetBitRate });
    return readStream(bytes).packets.reduce((sum, packet) => sum + packet!.stages, 0);
  };
  const stages = [15, 30, 45, 60, 90].map(used);
  for (let n = 1; n < stages.length; n++) t.ok(stages[n]! > stages[n - 1]!, stages.join(', '));
  const packets = readStream(encoder.encode(long, RATE)).header;
  t.notOk(packets.varying, 'without a target all are alike');

  const scarce = encoder.encode(long, RATE, { targetBitRate: 12 });
  const { text, warnings, missing } = decoder.decode(scarce);
  t.match(warnings, [/\d+ of 18 packets carry nothing, to keep to the bit rate/]);
  t.ok(missing.length > 0);
  t.type(text, 'string');
  t.throws(() => encoder.encode(long, RATE, { targetBitRate: 2 }), {
    code: 'ACOM_USAGE',
    message: /packets of 5 s without anything in them take 4.\d bit\/s already/,
  });
  for (const targetBitRate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => encoder.encode(long, RATE, { targetBitRate }), { code: 'ACOM_USAGE' });
  }
});

t.test('packets of fewer codebooks are read by those that they have', async (t) => {
  const bytes = encoder.encode(long, RATE, { targetBitRate: 60, packetSeconds: 5 });
  const { header, packets } = readStream(bytes);
  t.ok(header.varying);
  const { indices } = decoder.coder.read(bytes);
  const all = encoder.quantize(long, RATE, { codebooks: 4 });
  packets.forEach((packet, p) => {
    for (
      let n = p * header.vectorsPerPacket;
      n < Math.min(all.shape[0]!, (p + 1) * header.vectorsPerPacket);
      n++
    ) {
      for (let s = 0; s < 4; s++) {
        const expected = s < packet!.stages ? all.get(n, s) : -1;
        if (indices.get(n, s) !== expected) t.fail(`vector ${n}, stage ${s}`);
      }
    }
  });
  t.equal(decoder.decode(bytes).words.length > 10, true);
  // Cut to one codebook it is what would have been encoded with one, where every packet had one.
  if (packets.every((packet) => packet!.stages > 0)) {
    const one = decoder.coder.read(decoder.coder.truncate(bytes, 1)).indices;
    t.equal(one.shape[1], 1);
    for (let n = 0; n < one.shape[0]!; n++) if (one.get(n, 0) !== all.get(n, 0)) t.fail(`vector ${n}`);
  }
});

t.test('one packet: as many codebooks as fit, and one where none does', async (t) => {
  const short = spoken.subarray(0, 3 * RATE);
  const of = (targetBitRate: number) =>
    readStream(encoder.encode(short, RATE, { targetBitRate })).header.codebooks;
  t.equal(of(10), 1);
  t.equal(of(500), 4);
  t.ok(of(70) >= 1 && of(70) < 4);
});

t.test('a run that no encoder made costs its packet, though its checksum is right', async (t) => {
  const bytes = encoder.encode(long, RATE, { packetSeconds: 10 });
  const { header, packets } = readStream(bytes);
  const long1 = { ...packets[1]!, run: new Uint8Array(100).fill(7) };
  const forged = writeStream(
    header,
    packets.map((packet, n) => (n === 1 ? long1 : packet!)),
  );
  const { warnings, missing } = decoder.decode(forged);
  t.match(warnings, [/1 of 10 packets are damaged or missing/]);
  t.equal(missing.length, 1);
  t.throws(() => decoder.coder.truncate(forged, 1), { code: 'ACOM_CORRUPT' });
  t.throws(() => decoder.coder.truncate(bytes, 3), {
    code: 'ACOM_USAGE',
    message: /3 codebooks of a stream of 2/,
  });
});

t.test('every coding gives the same words; a name that is none is refused', async (t) => {
  const whole = decoder.decode(encoder.encode(spoken, RATE));
  for (const coding of ['packed', 'order-0', 'adaptive', 'context'] as const) {
    const bytes = encoder.encode(spoken, RATE, { coding });
    t.equal(readStream(bytes).header.coding, coding);
    t.same(decoder.decode(bytes).words, whole.words, coding);
  }
  const coding = 'zip' as 'packed';
  t.throws(() => encoder.encode(spoken, RATE, { coding }), {
    code: 'ACOM_USAGE',
    message: /there are packed, order-0/,
  });
});
