/** Both halves of a CNN14 of the published width in one process: 75 million parameters, 300 MB. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { repository } from '../support/shared.js';

const MOST_MEBIBYTES = 1e9 / 2 ** 20;

t.test('5 s are classified in less than 1 GB', { timeout: 180_000 }, async (t) => {
  for (const how of ['lazy', 'eager']) {
    const script = join(repository, 'dist/bench/cnn14-memory.js');
    const { stdout } = await promisify(execFile)(process.execPath, [script, '5', how]);
    const peaks = [...stdout.matchAll(/^classified .* peak (\d+) MiB$/gm)].map(([, peak]) => Number(peak));
    t.equal(peaks.length, 5, stdout);
    t.ok(Math.max(...peaks) < MOST_MEBIBYTES, `weights ${how}: ${Math.max(...peaks)} MiB`);
    // All weights are there once, so a smaller number is a fault of the script.
    t.ok(Math.max(...peaks) > 300, 'and all of it was loaded');
  }
});
