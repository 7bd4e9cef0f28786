/** Start-up of the device half, in fresh processes. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../statistics.js';
import type { StartUp } from './start-up.js';

const script = fileURLToPath(new URL('start-up.js', import.meta.url));

/** The median of each number over `runs` processes. */
export function startUp(runs: number): StartUp {
  const all = Array.from({ length: runs }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, script], {
      env: { ...process.env, ACOM_THREADS: '1' },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the device half does not start: ${stderr}`);
    return JSON.parse(stdout) as StartUp;
  });
  const of = (name: keyof StartUp) => median(all.map((each) => each[name]));
  return {
    importing: of('importing'),
    loading: of('loading'),
    firstSecond: of('firstSecond'),
    tenSeconds: of('tenSeconds'),
    bareBytes: of('bareBytes'),
    peakBytes: of('peakBytes'),
  };
}

/** Milliseconds from our code being there to the first bytes: weights, compiled kernels, a second of speech. */
export const startUpMilliseconds = ({ loading, firstSecond }: StartUp): number => loading + firstSecond;
