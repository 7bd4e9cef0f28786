/**
 * npm run bench:training -- [--rounds n] [--threads 1,2] [--plain]: forward and backward of the shipped recogniser under a CTC loss, 16
 * utterances at once, beside PyTorch's CPU build (Debian's python3-torch) in interleaved rounds, on one thread and on two.
 * With --plain, without the fused multiply-adds that the trainer switches on in Node 20.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kernelsOfRun } from '../../src/training/run/fused-arithmetic.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    plain: { type: 'boolean', default: false },
    threads: { type: 'string', default: '1,2' },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${values.rounds}; use 1 or more`);
// Before anything asks for them: the kernels that the trainer would take.
if (!values.plain) kernelsOfRun();

const { batchNames, trainingFile } = await import('./batch.js');
const { compareGradients, timeRounds } = await import('./compare.js');
const { startOurs } = await import('./ours.js');
const { startTorch } = await import('./torch.js');
const { describeMachine, thisMachine } = await import('../report.js');

const threadCounts = values.threads.split(',').map(Number);
const folder = mkdtempSync(join(tmpdir(), 'acom-training-'));
try {
  const path = join(folder, 'training.safetensors');
  writeFileSync(path, trainingFile());
  const torch = await startTorch(path, threadCounts);
  const ours = await startOurs(path, Math.max(...threadCounts));
  try {
    const { torch: version, capability, blas } = torch.build;
    console.log(`${describeMachine(thisMachine())}; PyTorch ${version}, ${capability}, BLAS: ${blas}`);
    if (!/openblas|mkl|blis/i.test(blas)) {
      console.log('That BLAS is a slow one, which flatters us. Install a fast one: libopenblas0-pthread');
    }
    for (const batch of batchNames) {
      for (const threads of threadCounts) {
        await compareGradients(batch, threads, ours, torch);
        for (const line of await timeRounds({ batch, threads, rounds }, ours, torch)) console.log(line);
      }
    }
  } finally {
    await ours.stop();
    await torch.stop();
  }
} finally {
  rmSync(folder, { recursive: true });
}
