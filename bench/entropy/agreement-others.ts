/** The other sides of bench:entropy-agreement: headless Chromium with the same code, and Python with none of it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleForPage, noChromium, onPage } from '../../test/support/chromium.js';
import { repository } from '../../test/support/shared.js';
import type * as Sides from './agreement-sides.js';
import type { CheckedCoding, Trace } from './agreement-sides.js';

/** What a side makes of the runs of a coding; no `encoded` from one that only decodes. */
export interface Told {
  readonly encoded?: Trace;
  readonly decoded: Trace;
}

export interface Work {
  readonly model: Uint8Array;
  readonly modelPath: string;
  readonly coding: CheckedCoding;
  readonly stages: number;
  readonly vectors: number;
  /** All runs, as Node encoded them. */
  readonly file: Uint8Array;
}

export interface Other {
  readonly name: string;
  /** False, or why it is not there. */
  readonly missing: string | false;
  tell(work: Work): Promise<Told>;
}

const chromium: Other = {
  name: 'Chromium',
  missing: noChromium,
  tell: async ({ model, coding, stages, vectors, file }) => {
    const script = await bundleForPage("export * from './dist/bench/entropy/agreement-sides.js';");
    return onPage(script, { 'model.safetensors': model, runs: file }, (page) =>
      page.evaluate(
        async ([coding, stages, vectors]) => {
          const { decodeAll, encodeAll, openCoders } = (await import(String('/script.js'))) as typeof Sides;
          const fetched = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
          const coders = await openCoders(await fetched('model.safetensors'), stages);
          const { trace } = encodeAll(coders, coding, vectors);
          return { encoded: trace, decoded: decodeAll(coders, coding, await fetched('runs')) };
        },
        [coding, stages, vectors] as const,
      ),
    );
  },
};

const PYTHON = 'python3';
const SCRIPT = join(repository, 'bench/entropy/lockstep.py');

function noPython(): string | false {
  const { error, status } = spawnSync(PYTHON, ['-c', 'import numpy']);
  if (error) return `no ${PYTHON}`;
  return status === 0 ? false : `${PYTHON} has no numpy; install it with: apt-get install python3-numpy`;
}

const python: Other = {
  name: 'Python',
  missing: noPython(),
  tell: async ({ modelPath, coding, stages, file }) => {
    const { stdout, stderr, status } = spawnSync(PYTHON, [SCRIPT, modelPath, coding, String(stages)], {
      input: file,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
    return { decoded: JSON.parse(stdout) as Trace };
  },
};

export const others: readonly Other[] = [chromium, python];
