/**
 * Reads damaged checkpoints of one format (the first argument) and prints what came of it as JSON. A process of
 * its own: promises are several times slower under the hooks of a test runner, and a crash or hang ends only this.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bytesSource,
  openCheckpoint,
  readSentencePiece,
  writeSafetensors,
} from '../../src/checkpoints/index.js';
import { type FuzzResult, fuzz } from '../support/fuzz.js';
import { repository } from '../support/shared.js';
import { dict, floats, int, list, pickle, tensor, text, torchZip, tuple, zip } from '../support/torch.js';

/** How many of the files are tried: half of them, so that all tests fit a coffee break; ACOM_FUZZ=1 tries all. */
const share = (files: number): number => Math.round(files * Number(process.env['ACOM_FUZZ'] ?? 0.5));

const fixture = (path: string) => new Uint8Array(readFileSync(join(repository, 'test/fixtures', path)));

/** Reads all that a checkpoint holds. */
async function readWhole(bytes: Uint8Array): Promise<void> {
  const checkpoint = await openCheckpoint(bytesSource(bytes));
  await checkpoint.readAll([...checkpoint.tensors.keys()]);
}

async function readModel(bytes: Uint8Array): Promise<void> {
  const model = await readSentencePiece(bytes);
  model.decode(model.pieces.map((_, id) => id));
}

const two = dict(
  ['a', tensor({ elements: 6, shape: [2, 3], stride: [3, 1] })],
  ['b', list(int(1), tensor({ elements: 6, shape: [3, 2], stride: [1, 3] }), tuple(text('x')))],
);
const six = floats(1, 2, 3, 4, 5, 6);

const RUNS: Readonly<Record<string, () => Promise<FuzzResult>>> = {
  safetensors() {
    const small = writeSafetensors(
      new Map([
        ['a', { data: Float32Array.of(1, 2), shape: [2] }],
        ['b', { data: Float32Array.of(1), shape: [], type: 'F16' as const }],
      ]),
      { purpose: 'test' },
    );
    return fuzz([small, fixture('oracle/checkpoints/mixed.safetensors')], share(100_000), readWhole);
  },
  archive() {
    const files = [torchZip(two, { 0: six }), torchZip(two, { 0: six }, { deflated: true })];
    return fuzz([fixture('oracle/checkpoints/tiny.pt'), ...files], share(50_000), readWhole);
  },
  // Behind the checksum, where damage to the archive itself never comes.
  pickle: () =>
    fuzz([pickle(two)], share(50_000), readWhole, {
      wrap: (damaged) => zip({ 'm/data.pkl': damaged, 'm/data/0': six }),
    }),
  legacy() {
    const names = ['state_dict_legacy.ckpt', 'mixed_legacy.pt'];
    return fuzz(
      names.map((name) => fixture(`oracle/checkpoints/${name}`)),
      share(100_000),
      readWhole,
    );
  },
  sentencepiece: () =>
    fuzz(
      ['unigram', 'plain'].map((name) => fixture(`sentencepiece/${name}.model`)),
      share(20_000),
      readModel,
    ),
};

const run = RUNS[process.argv[2] ?? ''];
if (run === undefined) throw new Error(`name one of ${Object.keys(RUNS).join(', ')}`);
console.log(JSON.stringify(await run()));
