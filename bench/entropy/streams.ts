/** Bits of the same codewords by every coding of ours, whole files of ours, and what general compressors make of them. */
import { spawnSync } from 'node:child_process';
import { brotliCompressSync, constants, deflateRawSync } from 'node:zlib';
import { CODINGS } from '../../src/bitstream/index.js';
import { byteModels } from './compressjs.js';
import type { HeldOut, Sent } from './held-out.js';

/** Sizes of one byte for each codeword (none here has more than 256), without headers where that can be had. */
const PEERS: Readonly<Record<string, (bytes: Uint8Array) => number | null>> = {
  'deflate (gzip without its header)': (bytes) => deflateRawSync(bytes, { level: 9 }).length,
  brotli: (bytes) =>
    brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }).length,
  zstd: (bytes) => outputOf('zstd', ['-19', '--no-check', '--content-size', '-c'], bytes),
  ...byteModels,
};

/** Null where the program is not installed. */
function outputOf(program: string, words: readonly string[], input: Uint8Array): number | null {
  const { stdout, status } = spawnSync(program, words, { input });
  return status === 0 ? stdout.length : null;
}

/** The first `stages` codewords of every vector. */
const cut = (indices: Int32Array, all: number, stages: number): Int32Array =>
  indices.filter((_, i) => i % all < stages);

/** Bits of the codewords if each stage's were coded by how often these very recordings use them: the paper's measure. */
export function orderZeroBits(recordings: readonly Int32Array[], stages: number): number {
  let bits = 0;
  for (let s = 0; s < stages; s++) {
    const counts = new Map<number, number>();
    let total = 0;
    for (const indices of recordings) {
      for (let i = s; i < indices.length; i += stages) {
        counts.set(indices[i]!, (counts.get(indices[i]!) ?? 0) + 1);
        total++;
      }
    }
    for (const count of counts.values()) bits -= count * Math.log2(count / total);
  }
  return bits;
}

const bytesOf = (indices: Int32Array): Uint8Array => Uint8Array.from(indices);

/** Lines of a table of one model, one length of recordings, and one number of codebooks. */
export function streamLines(held: HeldOut, sent: readonly Sent[], stages: number): string[] {
  const recordings = sent.map(({ indices }) => cut(indices, held.codebooks, stages));
  const vectors = recordings.reduce((sum, { length }) => sum + length / stages, 0);
  const seconds = sent.reduce((sum, { samples }) => sum + held.coder.timing.seconds(samples), 0);
  const zero = orderZeroBits(recordings, stages);
  const line = (name: string, bits: number): string =>
    `| ${name} | ${(bits / vectors).toFixed(2)} | ${(bits / seconds).toFixed(1)} | ${(bits / zero).toFixed(3)} |`;
  const files = (coding: (typeof CODINGS)[number]): number =>
    recordings.reduce(
      (sum, indices, n) =>
        sum +
        8 *
          held.coder.write(indices, sent[n]!.samples, {
            codebooks: stages / held.coder.groups,
            packetVectors: indices.length,
            coding,
          }).length,
      0,
    );
  const peers = Object.entries(PEERS).flatMap(([name, size]) => {
    const each = recordings.map((indices) => size(bytesOf(indices)));
    const whole = size(bytesOf(Int32Array.from(recordings.flatMap((indices) => [...indices]))));
    if (whole === null || each.some((bytes) => bytes === null)) return [`| ${name}: not installed | | | |`];
    return [
      line(`${name}, file by file`, 8 * each.reduce<number>((sum, bytes) => sum + bytes!, 0)),
      line(`${name}, all in one`, 8 * whole),
    ];
  });
  return [
    `${held.name}: ${recordings.length} recordings of ${(seconds / recordings.length).toFixed(0)} s, ${stages} codebooks`,
    '',
    '| | bits a vector | bit/s | of order 0 |',
    '| --- | ---: | ---: | ---: |',
    line('raw', vectors * stages * 8),
    line('order-0 entropy of these very codewords', zero),
    ...CODINGS.map((coding) => line(`acom ${coding}, whole files`, files(coding))),
    ...peers,
    '',
  ];
}
