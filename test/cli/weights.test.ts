/** acom weights inspect, and acom info of the same files. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acom, oneLine, piped } from '../support/cli.js';
import { repository } from '../support/shared.js';

const folder = join(repository, 'test/fixtures/oracle/checkpoints');

t.test('tensors, totals and other data of each format', async (t) => {
  const zip = await acom(folder, 'weights', 'inspect', 'optimizer_zip.ckpt');
  t.match(zip, { code: 0, stdout: /^optimizer_zip\.ckpt\n +checkpoint +PyTorch zip, 1,537 bytes\n/ });
  t.match(zip.stdout, /tensors +3 \(F32 3\), 17 numbers, 68 bytes\n/);
  t.match(zip.stdout, /\n {2}state\.4\.exp_avg_sq +F32 +\[2, 4\] +32\n/);
  t.match(zip.stdout, /\n {2}param_groups +\[\{lr: 0\.001, betas: \(0\.9, 0\.98\), [^\n]*…\n/);
  const legacy = await acom(folder, 'weights', 'inspect', 'mixed_legacy.pt');
  t.match(legacy.stdout, /checkpoint +PyTorch legacy, 4,736 bytes\n/);
  t.match(legacy.stdout, /\n {2}bigint +1180591620717411303427\n[\s\S]*\n {2}and \d+ more\n/);
  const safetensors = await acom(folder, 'weights', 'inspect', 'mixed.safetensors');
  t.match(
    safetensors.stdout,
    /checkpoint +safetensors, 1,220 bytes\n[\s\S]*\n {2}bf16 +BF16 +\[2, 5\] +20\n/,
  );
});

t.test('as JSON, by pipe, by folder, and as acom info', async (t) => {
  const { stdout } = await acom(folder, 'weights', 'inspect', 'tiny.pt', '--json');
  const expected = {
    type: 'checkpoint',
    format: 'PyTorch zip',
    bytes: 738,
    numbers: 3,
    tensorBytes: 12,
    tensors: [{ name: 't', type: 'F32', shape: [3], bytes: 12 }],
    other: [{ name: 'device', value: 'cpu' }],
    metadata: {},
  };
  t.same(JSON.parse(stdout), { file: 'tiny.pt', ...expected });
  const info = await acom(folder, 'info', 'tiny.pt', '--json');
  t.same(JSON.parse(info.stdout), { file: 'tiny.pt', ...expected });
  const pipe = await piped(readFileSync(join(folder, 'tiny.pt')), 'weights', 'inspect', '-', '--json');
  t.same(JSON.parse(pipe.stdout.toString()), { file: '-', ...expected });
  const several = t.testdir();
  mkdirSync(join(several, 'save'));
  copyFileSync(join(folder, 'tiny.pt'), join(several, 'save/a.PT'));
  copyFileSync(join(folder, 'normalizer_new.ckpt'), join(several, 'save/b.ckpt'));
  writeFileSync(join(several, 'save/c.txt'), 'no checkpoint');
  const lines = (await acom(several, 'weights', 'inspect', 'save', '--json')).stdout.trim().split('\n');
  t.same(
    lines.map((line) => (JSON.parse(line) as { file: string }).file),
    ['save/a.PT', 'save/b.ckpt'],
  );
});

t.test('bad and malicious files: one line each, exit code 1, and the next is read', async (t) => {
  const run = await acom(folder, 'weights', 'inspect', 'malicious_os_system_zip.pt', 'tiny.pt');
  t.equal(run.code, 1);
  t.match(run.stderr, /^acom: malicious_os_system_zip\.pt: .*posix\.system.*nothing of it was run/);
  t.ok(oneLine(run.stderr));
  t.match(run.stdout, /^tiny\.pt\n/);
  const help = await acom(folder, 'weights', 'inspect', '--help');
  t.match(help.stdout, /Examples:\n {2}acom weights inspect asr\.ckpt\n/);
});
