/** Live streams whose bytes may never change, and a second reader of them that follows the specification. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { CODINGS, crc16, parseOpening } from '../../src/bitstream/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';
import {
  FEATURES,
  type GoldenLive,
  goldenLive,
  HOP,
  type LiveAnswer,
  readByUs,
  readGoldenLive,
} from './golden-live.js';
import { bytesOf, type GoldenStream, readGolden } from './golden-streams.js';

const golden = readGolden();
const live = readGoldenLive();
const streamOf = ({ of }: GoldenLive): GoldenStream => golden.find(({ name }) => name === of)!;

const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

function readByPython(
  streams: readonly { readonly lines: readonly string[]; readonly stream: GoldenStream }[],
): (LiveAnswer & { readonly header?: object })[] {
  const input = streams.map(({ lines, stream: { codewords, tables, context } }) => ({
    lines,
    codewords,
    tables,
    context,
    hop: HOP,
    features: FEATURES,
  }));
  const { stdout, stderr, status } = spawnSync('python3', [join(repository, 'test/bitstream/read_live.py')], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as LiveAnswer[];
}

/** What is to be read: the codewords of packets that came, but for those that came too late. */
function expectedOf(each: GoldenLive): LiveAnswer {
  const { vectors, indices, header } = streamOf(each);
  const { vectorsPerPacket, came, samples } = each;
  const packets = Math.max(1, Math.ceil(vectors / vectorsPerPacket));
  const taken = new Set<number>();
  let last = -1;
  for (const number of came) {
    if (number <= last) continue;
    taken.add(number);
    last = number;
  }
  const missing = new Array<number>(header.codebooks).fill(-1);
  const end = Math.min(vectors, (last + 1) * vectorsPerPacket);
  return {
    indices: indices.slice(0, end).map((v, n) => (taken.has(Math.floor(n / vectorsPerPacket)) ? v : missing)),
    samples: last === packets - 1 ? samples : null,
    damaged: null,
  };
}

const bare = ({ indices, samples, damaged }: LiveAnswer): LiveAnswer =>
  indices === undefined ? { damaged } : { indices, samples: samples ?? null, damaged };

t.test('golden live streams: a change here is a new format version', async (t) => {
  t.same(goldenLive(golden), live, 'the same bytes from the same codewords');
  for (const each of live) t.same(readByUs(each.lines, streamOf(each)), expectedOf(each), each.of);
});

t.test('they have every coding, long checksums, numbers that go round, and losses', async (t) => {
  const codings = new Set(live.map(({ lines }) => parseOpening(bytesOf(lines[0]!)).coding));
  t.same([...codings].sort(), [...CODINGS].sort());
  t.ok(live.some(({ lines }) => lines.some((line) => line.length > 2 * 257)));
  t.ok(live.some(({ came }) => came.some((number, i) => number === 128 && came[i - 1] === 127)));
  t.ok(live.filter((each) => expectedOf(each).indices!.some(([v]) => v === -1)).length > 5);
  t.ok(live.some((each) => expectedOf(each).samples === null));
});

t.test('a reader in Python, by the specification', { skip: noPython }, async (t) => {
  readByPython(live.map((each) => ({ ...each, stream: streamOf(each) }))).forEach((answer, n) => {
    const each = live[n]!;
    t.same(bare(answer), expectedOf(each), each.of);
    const { coding, fingerprint, codebooks } = streamOf(each).header;
    const { vectorsPerPacket } = each;
    const header = { coding, fingerprint, stages: codebooks, vectorsPerPacket, varying: false, samples: 0 };
    t.same(answer.header, header);
  });
});

/** The same opening with more bytes for its numbers, which its packets do not know of. */
function longer(opening: Uint8Array): Uint8Array {
  const head = Uint8Array.of(...opening.subarray(0, 6), 0xc0, 0, 0, 0, 0, ...opening.subarray(8, -2));
  return Uint8Array.of(...head, crc16(head) >> 8, crc16(head) & 255);
}

t.test('of what is damaged or comes in another order both make the same', { skip: noPython }, async (t) => {
  const random = createRandom(3);
  const below = (n: number) => Math.floor(n * random());
  const small = live.filter(({ lines }) => lines.length < 60);
  const cases = Array.from({ length: 400 }, (_, n) => {
    const each = small[n % small.length]!;
    const lines = each.lines.map(bytesOf);
    const at = below(Math.min(lines.length, 6));
    const line = lines[at]!;
    const kind = below(6);
    if (kind === 0) line[below(line.length)]! ^= 1 + below(255);
    else if (kind === 1) lines[at] = line.slice(0, below(line.length));
    else if (kind === 2) lines[at] = Uint8Array.of(...line, below(256));
    else if (kind === 3) lines.push(lines[1 + below(lines.length - 1)]!);
    else if (kind === 4) lines.splice(1 + below(lines.length - 1), 1);
    else if (at === 0) lines[0] = longer(lines[0]!);
    else lines.splice(at, 1, lines[1 + below(lines.length - 1)]!);
    const stream = streamOf(each);
    return { lines: lines.map((bytes) => Buffer.from(bytes).toString('hex')), stream };
  });
  const ours = cases.map(({ lines, stream }) => readByUs(lines, stream));
  const damaged = ours.filter((answer) => answer.damaged !== null).length;
  t.ok(damaged > 100 && damaged < 300, `${damaged} of ${cases.length} were damaged`);
  t.same(readByPython(cases).map(bare), ours);
});
