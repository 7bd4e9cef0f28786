/** Streams whose bytes may never change, and a second decoder that follows the specification. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CODINGS, parseHeader, readStream } from '../../src/bitstream/index.js';
import { Codings } from '../../src/codec/codings.js';
import { FrequencyTable, packedBytes } from '../../src/entropy/index.js';
import { createRandom, FormatError } from '../../src/tensor/index.js';
import { fuzz } from '../support/fuzz.js';
import { repository } from '../support/shared.js';
import {
  bytesOf,
  codingsOf,
  type GoldenStream,
  goldenStreams,
  indicesOf,
  placesOf,
  readGolden,
  vectorsOfPackets,
} from './golden-streams.js';

const golden = readGolden();
const several = golden.filter(({ header }) => header.vectorsPerPacket > 0);

interface Answer {
  readonly header?: object;
  readonly indices?: readonly (readonly number[])[];
  readonly damaged?: string;
}

const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

function readByPython(streams: readonly GoldenStream[]): Answer[] {
  const { stdout, stderr, status } = spawnSync('python3', [join(repository, 'test/bitstream/read_acom.py')], {
    input: JSON.stringify(streams),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answer[];
}

/** Indices without the vectors of packet `gone`, or of that and all after it. */
function without(stream: GoldenStream, gone: number, andLater = false): (readonly number[] | null)[] {
  return vectorsOfPackets(stream)
    .flatMap((count, p) => new Array<number>(count).fill(p))
    .map((p, n) => (p === gone || (andLater && p > gone) ? null : stream.indices[n]!));
}

const written = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

t.test('golden streams: a change here is a new format version', async (t) => {
  t.same(goldenStreams(), golden, 'the same bytes from the same codewords');
  for (const stream of golden) t.same(indicesOf(bytesOf(stream.hex), stream), stream.indices, stream.name);
});

t.test('golden streams have every option', async (t) => {
  const options = new Set<string>();
  for (const stream of golden) {
    const { header, codewords, hex } = stream;
    const { coding, varying, vectorsPerPacket } = header;
    const mode = varying ? 'varying' : vectorsPerPacket > 0 ? 'several' : 'single';
    const counts = vectorsOfPackets(stream);
    readStream(bytesOf(hex), () => counts.length).packets.forEach((packet, p) => {
      const { stages, run } = packet!;
      if (stages === 0) options.add('nothing');
      const packed = packedBytes(counts[p]! * stages, codewords);
      options.add(`${coding} ${mode} ${run.length < packed ? 'coded' : 'packed'}`);
      if (run.length > 255) options.add(`long ${mode}`);
    });
  }
  const modes = ['single', 'several', 'varying'];
  const expected = CODINGS.flatMap((coding) =>
    modes.map((mode) => `${coding} ${mode} ${coding === 'packed' ? 'packed' : 'coded'}`),
  );
  const fallbacks = CODINGS.map((coding) => `${coding} single packed`);
  for (const option of [...expected, ...fallbacks, 'nothing', 'long single', 'long several']) {
    t.ok(options.has(option), option);
  }
});

t.test('the example of the specification', async (t) => {
  const text = readFileSync(join(repository, 'src/bitstream/README.md'), 'utf8');
  const [, line] = /^ {4}(ac 11 [0-9a-f ]+)$/m.exec(text)!;
  const bytes = bytesOf(line!.replaceAll(' ', ''));
  const codings = new Codings([new FrequencyTable(Int32Array.of(24576, 4096, 2048, 2048, 0))], null);
  const { header, packets } = readStream(bytes);
  t.same(header, {
    coding: 'order-0',
    varying: false,
    codebooks: 1,
    fingerprint: 0x01020304,
    samples: 24_000,
    vectorsPerPacket: 0,
  });
  const indices = Int32Array.of(0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0);
  t.same(codings.decode(packets[0]!.run, 12, 1, 'order-0'), indices);
  t.equal(written(codings.encode({ indices, stages: 1 }, 'order-0')), '71');
  t.equal(written(bytes.subarray(-2)), '8382');
});

t.test('a decoder in Python, by the specification', { skip: noPython }, async (t) => {
  readByPython(golden).forEach(({ header, indices, damaged }, n) => {
    const { name, header: own, indices: said } = golden[n]!;
    t.equal(damaged, undefined, name);
    t.same(indices, said, name);
    const { codebooks, ...others } = own;
    t.same(header, { ...others, stages: codebooks });
  });

  // Damage that spares the lengths, so that both find every other packet.
  const random = createRandom(7);
  const cases = several.flatMap((stream) => {
    const bytes = bytesOf(stream.hex);
    return placesOf(bytes, stream, parseHeader(bytes).size).map(({ from, end }, packet) => {
      const damaged = bytes.slice();
      damaged[from + Math.floor(random() * (end - from))]! ^= 1 + Math.floor(random() * 255);
      return { stream, packet, damaged };
    });
  });
  const answers = readByPython(cases.map(({ stream, damaged }) => ({ ...stream, hex: written(damaged) })));
  cases.forEach(({ stream, packet, damaged }, n) => {
    const expected = without(stream, packet);
    t.same(indicesOf(damaged, stream), expected, `${stream.name}: packet ${packet} and no other`);
    const missing = new Array<number>(stream.header.codebooks).fill(-1);
    t.same(
      answers[n]!.indices,
      expected.map((vector) => vector ?? missing),
      'the same in Python',
    );
  });

  const first = golden[0]!;
  const refused = (hex: string) => readByPython([{ ...first, hex }])[0]?.damaged;
  t.equal(refused(first.hex.slice(0, -2)), 'checksum');
  t.equal(refused(`ad${first.hex.slice(2)}`), 'version');
  t.equal(refused(`ac41${first.hex.slice(4)}`), 'varying without several');
});

t.test('20,000 damaged streams: typed errors only, in little time and memory', async (t) => {
  const originals = golden.map(({ hex }) => bytesOf(hex));
  let turn = 0;
  // The fuzzer takes the originals in turns.
  const result = await fuzz(originals, 20_000, (bytes) => indicesOf(bytes, golden[turn++ % golden.length]!));
  t.same(result.crashes, []);
  t.ok(
    result.accepted > 1000 && result.rejected > 1000,
    `${result.accepted} read, ${result.rejected} refused`,
  );
  t.ok(result.mostBytes < 1 << 20, `${result.mostBytes} bytes at most`);
  t.ok(result.slowestMilliseconds < 1000, `${result.slowestMilliseconds.toFixed(1)} ms at most`);
});

t.test('behind a good checksum too, damaged runs are codewords or typed errors', async (t) => {
  const random = createRandom(8);
  const wrong: string[] = [];
  let [read, refused] = [0, 0];
  for (const stream of golden) {
    const counts = vectorsOfPackets(stream);
    const codings = codingsOf(stream);
    const { packets } = readStream(bytesOf(stream.hex), () => counts.length);
    packets.forEach((packet, p) => {
      const { stages, run } = packet!;
      if (stages === 0) return;
      for (let n = 0; n < 40; n++) {
        const length = Math.floor(random() * (run.length + 3));
        const noise = Uint8Array.from({ length }, () => Math.floor(random() * 256));
        try {
          const found = codings.decode(noise, counts[p]!, stages, stream.header.coding);
          const good = found.every((v) => v >= 0 && v < stream.codewords);
          if (found.length !== counts[p]! * stages || !good) wrong.push(stream.name);
          read++;
        } catch (error) {
          if (!(error instanceof FormatError)) wrong.push(`${stream.name}: ${String(error)}`);
          refused++;
        }
      }
    });
  }
  t.same(wrong, []);
  t.ok(read > 1000 && refused > 500, `${read} read, ${refused} refused`);
});

t.test('cut short at any byte, streams keep every packet before it', async (t) => {
  const wrong: string[] = [];
  for (const stream of golden) {
    const bytes = bytesOf(stream.hex);
    const { size } = parseHeader(bytes);
    const single = stream.header.vectorsPerPacket === 0;
    const ends = single ? [bytes.length] : placesOf(bytes, stream, size).map(({ end }) => end);
    for (let cut = 0; cut < bytes.length; cut++) {
      const left = bytes.subarray(0, cut);
      if (cut < size) {
        t.throws(() => indicesOf(left, stream), FormatError, 'half a header');
        continue;
      }
      const whole = ends.filter((end) => end <= cut).length;
      const expected = JSON.stringify(without(stream, whole, true));
      if (JSON.stringify(indicesOf(left, stream)) !== expected) wrong.push(`${stream.name}, at ${cut}`);
      if (single && readStream(left).packets[0] !== null) wrong.push(`${stream.name}, taken at ${cut}`);
    }
  }
  t.same(wrong, []);
});

t.test('whichever packet is destroyed, all others are as they were', async (t) => {
  const random = createRandom(9);
  const noise = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const wrong: string[] = [];
  let destroyed = 0;
  for (const stream of several) {
    const bytes = bytesOf(stream.hex);
    placesOf(bytes, stream, parseHeader(bytes).size).forEach(({ start, end }, packet) => {
      const expected = JSON.stringify(without(stream, packet));
      const instead: [what: string, bytes: Uint8Array][] = [
        ['noise', noise(end - start)],
        ['zeros', new Uint8Array(end - start)],
        ['255', new Uint8Array(end - start).fill(255)],
        ['nothing', new Uint8Array()],
        ['more noise', noise(2 * (end - start) + 5)],
      ];
      for (const [what, middle] of instead) {
        const damaged = Uint8Array.from([...bytes.subarray(0, start), ...middle, ...bytes.subarray(end)]);
        if (JSON.stringify(indicesOf(damaged, stream)) !== expected) {
          wrong.push(`${stream.name}: ${what} for packet ${packet}`);
        }
        destroyed++;
      }
    });
  }
  t.same(wrong, []);
  t.ok(destroyed > 200, `${destroyed} streams`);
});
