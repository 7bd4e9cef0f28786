/** Damaged checkpoints by the hundred thousand: typed errors only, in little time and memory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  bytesSource,
  openCheckpoint,
  readSentencePiece,
  writeSafetensors,
} from '../../src/checkpoints/index.js';
import { type FuzzResult, fuzz } from '../support/fuzz.js';
import { repository } from '../support/shared.js';
import { dict, floats, int, list, pickle, tensor, text, torchZip, tuple, zip } from '../support/torch.js';

t.setTimeout(600_000);

const fixture = (path: string) => new Uint8Array(readFileSync(join(repository, 'test/fixtures', path)));

/** Reads all that a checkpoint holds. */
async function readWhole(bytes: Uint8Array): Promise<void> {
  const checkpoint = await openCheckpoint(bytesSource(bytes));
  await checkpoint.readAll([...checkpoint.tensors.keys()]);
}

/** Most that reading one damaged file may add to the memory beside what the file has. */
const MOST_BYTES = 2 << 20;

function check(t: Test, result: FuzzResult, leastAccepted: number): void {
  const { accepted, rejected, crashes, mostBytes, slowestMilliseconds } = result;
  t.same(crashes.slice(0, 5), [], `${crashes.length} crashes`);
  t.ok(rejected > accepted && accepted >= leastAccepted, `${rejected} rejected, ${accepted} accepted`);
  t.ok(mostBytes < MOST_BYTES, `${mostBytes} bytes at most`);
  t.ok(slowestMilliseconds < 10_000, `${slowestMilliseconds.toFixed(0)} ms at most: none hangs`);
}

const two = dict(
  ['a', tensor({ elements: 6, shape: [2, 3], stride: [3, 1] })],
  ['b', list(int(1), tensor({ elements: 6, shape: [3, 2], stride: [1, 3] }), tuple(text('x')))],
);
const six = floats(1, 2, 3, 4, 5, 6);

t.test('100,000 safetensors', async (t) => {
  const small = writeSafetensors(
    new Map([
      ['a', { data: Float32Array.of(1, 2), shape: [2] }],
      ['b', { data: Float32Array.of(1), shape: [], type: 'F16' as const }],
    ]),
    { purpose: 'test' },
  );
  check(t, await fuzz([small, fixture('oracle/checkpoints/mixed.safetensors')], 100_000, readWhole), 5000);
});

t.test('100,000 zip files of PyTorch', async (t) => {
  const archives = [torchZip(two, { 0: six }), torchZip(two, { 0: six }, { deflated: true })];
  check(t, await fuzz([fixture('oracle/checkpoints/tiny.pt'), ...archives], 50_000, readWhole), 1000);
  // Behind the checksum, where damage to the archive itself never comes.
  const wrap = (data: Uint8Array) => zip({ 'm/data.pkl': data, 'm/data/0': six });
  check(t, await fuzz([pickle(two)], 50_000, readWhole, { wrap }), 500);
});

t.test('100,000 legacy files of PyTorch', async (t) => {
  const names = ['state_dict_legacy.ckpt', 'mixed_legacy.pt'];
  const files = names.map((name) => fixture(`oracle/checkpoints/${name}`));
  check(t, await fuzz(files, 100_000, readWhole), 1000);
});

t.test('20,000 SentencePiece models', async (t) => {
  const files = ['unigram', 'plain'].map((name) => fixture(`sentencepiece/${name}.model`));
  const read = async (bytes: Uint8Array) => {
    const model = await readSentencePiece(bytes);
    model.decode(model.pieces.map((_, id) => id));
  };
  check(t, await fuzz(files, 20_000, read), 500);
});
