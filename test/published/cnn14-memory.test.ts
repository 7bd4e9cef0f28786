/** A CNN14 of the published size from its PyTorch files to a label: the memory that each command takes. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { main } from '../support/cli.js';
import { repository } from '../support/shared.js';

const execute = promisify(execFile);
/** Without what the test runner has every process load. */
const run = (args: readonly string[], cwd: string) =>
  execute(process.execPath, args, { cwd, env: { ...process.env, NODE_OPTIONS: '' } });

/** Has a process say at its end the most memory that it had, in KiB. */
const PEAK =
  'data:text/javascript,process.on("exit",()=>process._rawDebug("peak "+process.resourceUsage().maxRSS))';

const MOST_KIBIBYTES = 1e9 / 1024;
/** The weights are there once at least, so a smaller number is a fault of the test. */
const LEAST_KIBIBYTES = 3e8 / 1024;

t.test('import and classify in less than 1 GB each', { timeout: 240_000 }, async (t) => {
  const folder = t.testdir();
  await run([join(repository, 'dist/test/support/cnn14-files.js'), folder], folder);
  t.ok(statSync(join(folder, 'embedding_model.ckpt')).size > 3e8);
  for (const args of [
    ['import', 'speechbrain-cnn14', '.', '-o', 'cnn14.safetensors'],
    ['classify', '-m', 'cnn14.safetensors', 'five.wav'],
    ['model', 'fit', 'cnn14.safetensors', 'five.wav', ...'-l 4 -k 1 -v 4 -o codec.safetensors'.split(' ')],
  ]) {
    const { stdout, stderr } = await run(['--import', PEAK, main, ...args], folder);
    const peak = Number(/^peak (\d+)$/m.exec(stderr)?.[1]);
    t.ok(peak > LEAST_KIBIBYTES && peak < MOST_KIBIBYTES, `${args[0]}: ${Math.round(peak / 1024)} MiB`);
    if (args[0] === 'classify') t.match(stdout, /^five\.wav: class \d+\n[\s\S]* 5\.00 s/);
  }
});
