/**
 * Damaged checkpoints, 160,000 of five formats, 320,000 with ACOM_FUZZ=1: typed errors only, in little time and memory.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { plainEnvironment } from '../support/cli.js';
import type { FuzzResult } from '../support/fuzz.js';
import { repository } from '../support/shared.js';

t.setTimeout(900_000);

/** Most that reading one damaged file of some thousand bytes may add to the memory: MOST_EXTRA of zip.ts, and more. */
const MOST_BYTES = 2 << 20;

for (const [what, name, leastAccepted] of [
  ['safetensors', 'safetensors', 2500],
  ['zip files of PyTorch', 'archive', 500],
  ['pickles in zip files of PyTorch', 'pickle', 250],
  ['legacy files of PyTorch', 'legacy', 500],
  ['SentencePiece models', 'sentencepiece', 250],
] as const) {
  t.test(what, async (t) => {
    const script = join(repository, 'dist/test/checkpoints/fuzz-run.js');
    const { stdout } = await promisify(execFile)('node', [script, name], {
      env: plainEnvironment(),
      maxBuffer: 1 << 28,
    });
    const { accepted, rejected, crashes, mostBytes, slowestMilliseconds } = JSON.parse(stdout) as FuzzResult;
    t.same(crashes.slice(0, 5), [], `${crashes.length} crashes`);
    t.ok(accepted >= leastAccepted && rejected > accepted, `${rejected} rejected, ${accepted} accepted`);
    t.ok(mostBytes < MOST_BYTES, `${mostBytes} bytes at most`);
    t.ok(slowestMilliseconds < 10_000, `${slowestMilliseconds.toFixed(0)} ms at most: none hangs`);
  });
}
