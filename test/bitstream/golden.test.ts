/** Streams whose bytes may never change, and a second decoder that follows the specification. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStream } from '../../src/bitstream/index.js';
import { decodeStage, encodeStage, FrequencyTable } from '../../src/entropy/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { fuzz } from '../support/fuzz.js';
import { repository } from '../support/shared.js';
import { bytesOf, goldenStreams, indicesOf, readGolden } from './golden-streams.js';

const golden = readGolden();

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

t.test('a decoder in Python, by the specification', { skip: noPython }, async (t) => {
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
