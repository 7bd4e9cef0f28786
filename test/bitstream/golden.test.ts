/** Streams whose bytes may never change, and a second decoder that was written from the specification alone. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStream } from '../../src/bitstream/index.js';
import { decodeStage, encodeStage, FrequencyTable } from '../../src/entropy/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';
import { type GoldenStream, goldenStreams } from './golden-streams.js';

const golden = JSON.parse(
  readFileSync(join(repository, 'test/fixtures/streams.json'), 'utf8'),
) as GoldenStream[];

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** Indices as this repository reads them; null where a packet is damaged. */
function indicesOf(bytes: Uint8Array, { vectors, tables, header }: GoldenStream): (number[] | null)[] {
  const { codebooks, vectorsPerPacket } = header;
  const length = vectorsPerPacket === 0 ? vectors : vectorsPerPacket;
  const expected = vectorsPerPacket === 0 ? 1 : Math.ceil(vectors / vectorsPerPacket);
  const { packets } = readStream(bytes, () => expected);
  const found: (number[] | null)[] = new Array<null>(vectors).fill(null);
  packets.forEach((packet, p) => {
    if (packet === null) return;
    const count = Math.min(length, vectors - p * length);
    const stages = packet.map((run, s) =>
      decodeStage(run, count, new FrequencyTable(Int32Array.from(tables[s]!))),
    );
    for (let n = 0; n < count; n++) {
      found[p * length + n] = Array.from({ length: codebooks }, (_, s) => stages[s]![n]!);
    }
  });
  return found;
}

interface Answer {
  readonly header?: { readonly stages: number; readonly samples: number; readonly fingerprint: number };
  readonly indices?: readonly (readonly number[])[];
  readonly damaged?: string;
}

const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

function readByPython(streams: readonly object[]): Answer[] {
  const { stdout, stderr, status } = spawnSync('python3', [join(repository, 'test/bitstream/read_acom.py')], {
    input: JSON.stringify(streams),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answer[];
}

t.test('golden streams: a change here is a new format version', async (t) => {
  t.same(goldenStreams(), golden, 'the same bytes from the same codewords');
  for (const stream of golden) t.same(indicesOf(bytesOf(stream.hex), stream), stream.indices, stream.name);
});

t.test('the example of the specification', async (t) => {
  const text = readFileSync(join(repository, 'src/bitstream/README.md'), 'utf8');
  const [, written] = /^ {4}(ac 21 [0-9a-f ]+)$/m.exec(text)!;
  const bytes = bytesOf(written!.replaceAll(' ', ''));
  const table = new FrequencyTable(Int32Array.of(24576, 4096, 2048, 2048, 0));
  const { header, packets } = readStream(bytes);
  t.match(header, { codebooks: 1, fingerprint: 0x01020304, samples: 24_000, vectorsPerPacket: 0 });
  const vectors = [0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0];
  t.same([...decodeStage(packets[0]![0]!, 12, table)], vectors);
  t.same([...encodeStage(vectors, table)], [0x71]);
});

t.test('a decoder in Python, from the specification', { skip: noPython }, async (t) => {
  readByPython(golden).forEach(({ header, indices, damaged }, n) => {
    const { name, header: own, indices: said } = golden[n]!;
    t.equal(damaged, undefined, name);
    t.same(indices, said, name);
    t.match(header, { stages: own.codebooks, samples: own.samples, fingerprint: own.fingerprint });
  });

  // Damaged payloads: the lengths are whole, so both find every other packet.
  const random = createRandom(7);
  const whole = golden.find(({ name }) => name === 'several packets')!;
  const damaged = Array.from({ length: 40 }, () => {
    const bytes = bytesOf(whole.hex);
    const headerBytes = 10;
    const packet = Math.floor(random() * 4);
    let at = headerBytes;
    for (let p = 0; p < packet; p++) at += 2 + bytes[at]! + bytes[at + 1]! + 2;
    const size = bytes[at]! + bytes[at + 1]!;
    bytes[at + 2 + Math.floor(random() * size)]! ^= 1 + Math.floor(random() * 255);
    return { ...whole, hex: Buffer.from(bytes).toString('hex'), packet };
  });
  readByPython(damaged).forEach(({ indices }, n) => {
    const { hex, packet } = damaged[n]!;
    const ours = indicesOf(bytesOf(hex), whole).map((vector) => vector ?? [-1, -1]);
    t.same(indices, ours);
    const lost = ours.flatMap((vector, v) => (vector[0] === -1 ? [Math.floor(v / 10)] : []));
    t.same(new Set(lost), new Set([packet]), 'its own packet and no other');
  });
  const [cut] = readByPython([{ ...golden[0]!, hex: golden[0]!.hex.slice(0, -2) }]);
  t.equal(cut?.damaged, 'checksum');
});
