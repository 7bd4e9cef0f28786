/** PyTorch's side: a process of Debian's Python for each number of threads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readSafetensors } from '../../src/checkpoints/index.js';
import type { Tensor } from '../../src/tensor/index.js';
import { repository } from '../../test/support/shared.js';
import type { Timing, Trainee } from './trainee.js';

const PYTHON = '/usr/bin/python3';
const SCRIPT = join(repository, 'bench/training/torch_conformer.py');

/** What PyTorch says of itself. */
export interface TorchBuild {
  readonly torch: string;
  readonly capability: string;
  readonly blas: string;
}

interface Python {
  ask<R>(request: object): Promise<R>;
  readonly child: ChildProcess;
}

/** A Python with as many threads; its libraries read them from the environment. */
function startPython(threads: number): Python {
  const count = String(threads);
  const child = spawn(PYTHON, [SCRIPT], {
    env: { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += String(chunk);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = once(child, 'error').then(([error]) => {
    throw error as Error;
  });
  failed.catch(() => undefined);
  return {
    child,
    async ask<R>(request: object): Promise<R> {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const line = await Promise.race([lines.next(), failed]);
      if (!line.done) return JSON.parse(line.value) as R;
      const missing = /No module named '(torch|numpy)'/.test(complaint);
      throw new Error(
        missing
          ? `${PYTHON} has no PyTorch; install it with: apt-get install python3-torch libopenblas0-pthread`
          : `${SCRIPT} ended: ${complaint.trim()}`,
      );
    },
  };
}

/** Opens the file in a process for each of `threads`. Throws where there is no Python or no PyTorch. */
export async function startTorch(
  path: string,
  threads: readonly number[],
): Promise<Trainee & { readonly build: TorchBuild }> {
  const pythons = new Map<number, Python>();
  const stop = async (): Promise<void> => {
    for (const { child } of pythons.values()) child.kill();
  };
  try {
    let build: TorchBuild | undefined;
    for (const count of threads) {
      const python = startPython(count);
      pythons.set(count, python);
      build = await python.ask<TorchBuild>({ open: path });
    }
    return {
      build: build!,
      async pass(batch, count) {
        const file = `${path}.gradients`;
        const { loss } = await pythons.get(count)!.ask<{ loss: number }>({ pass: batch, gradients: file });
        const { tensors } = readSafetensors(readFileSync(file));
        return { loss, gradients: tensors as ReadonlyMap<string, Tensor> };
      },
      time: (batch, count, passes) => pythons.get(count)!.ask<Timing>({ time: batch, passes }),
      stop,
    };
  } catch (error) {
    await stop();
    const { code } = error as { code?: string };
    if (code === 'ENOENT') throw new Error(`there is no ${PYTHON}; install python3-torch (Debian)`);
    throw error;
  }
}
