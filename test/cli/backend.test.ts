/** `acom encode` and `acom decode` with another backend. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acom, sample } from '../support/cli.js';

t.test('the same file and the same words', async (t) => {
  const folder = t.testdir();
  const gpu = ['--backend', 'gpu', '--gpu-mode', 'webasm'];
  t.equal((await acom(folder, 'encode', sample('digits'), '-o', 'cpu.acom')).code, 0);
  const encoded = await acom(folder, 'encode', sample('digits'), '-o', 'gpu.acom', ...gpu);
  t.match(encoded, { code: 0, stderr: '' });
  t.same(readFileSync(join(folder, 'gpu.acom')), readFileSync(join(folder, 'cpu.acom')));
  const decoded = await acom(folder, 'decode', 'gpu.acom', ...gpu);
  t.match(decoded, { code: 0, stderr: '', stdout: /^gpu\.acom: seven three one nine five/ });
});

t.test('what makes no sense, and what does not run here', async (t) => {
  const folder = t.testdir();
  const encode = (...args: string[]) => acom(folder, 'encode', sample('digits'), '-o', 'x.acom', ...args);
  t.match(await encode('--backend', 'tpu'), { code: 2, stderr: /cpu or gpu/ });
  t.match(await encode('--backend', 'gpu', '--gpu-mode', 'cuda'), {
    code: 2,
    stderr: /webgl2, webgpu, webasm, cpu/,
  });
  t.match(await encode('--gpu-mode', 'webasm'), { code: 2, stderr: /goes with --backend gpu/ });
  t.match(await encode('--backend', 'gpu', '--gpu-mode', 'webgl2'), {
    code: 1,
    stderr: /webgl2 does not run here: WebGL 2 is for browsers/,
  });
});
