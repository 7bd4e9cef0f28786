/** Runtimes that forbid or lack something: the same bytes and words come out of each. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { repository } from '../support/shared.js';

const run = promisify(execFile);
const script = join(repository, 'dist/test/embedding/round-trip.js');

async function roundTrip(missing: string, flags: string[] = [], env: Record<string, string> = {}) {
  const { stdout, stderr } = await run('node', [...flags, script, missing], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  return { ...(JSON.parse(stdout) as { bytes: string; text: string }), notices: stderr };
}

const usual = await roundTrip('nothing');

t.test('the usual runtime says nothing', async (t) => {
  t.equal(usual.text, 'seven three one nine five');
  t.equal(usual.notices, '');
});

for (const [what, missing, flags] of [
  ['functions from text', 'nothing', ['--disallow-code-generation-from-strings']],
  ['modules from bytes, given a precompiled one', 'precompiled', []],
] as const) {
  t.test(`a runtime that forbids ${what}`, async (t) => {
    const { bytes, text, notices } = await roundTrip(missing, [...flags]);
    t.same({ bytes, text }, { bytes: usual.bytes, text: usual.text });
    t.equal(notices, '', 'it runs on the SIMD kernels, without a notice');
  });
}

for (const [what, missing, reason] of [
  ['has no WebAssembly', 'webassembly', /this engine has no WebAssembly\n$/],
  ['has no SIMD', 'simd', /this engine has no WebAssembly SIMD\n$/],
  ['forbids modules from bytes', 'compiling', /code generation disallowed/],
  ['has the precompiled kernels of another version', 'kernels', /lack .*acom-kernels\.wasm of this version/],
] as const) {
  t.test(`a runtime that ${what}`, async (t) => {
    const { bytes, text, notices } = await roundTrip(missing);
    t.same({ bytes, text }, { bytes: usual.bytes, text: usual.text }, 'the reference kernels do it');
    t.match(notices, reason);
    t.equal(notices.split('\n').length, 2, 'with one notice');
  });
}

t.test('ACOM_KERNELS and ACOM_THREADS', async (t) => {
  for (const choice of ['reference', 'simd', 'check']) {
    const { bytes, notices } = await roundTrip('nothing', [], { ACOM_KERNELS: choice });
    t.equal(bytes, usual.bytes, choice);
    t.equal(notices, '', 'without a notice');
  }
  const { bytes } = await roundTrip('nothing', [], { ACOM_THREADS: '2' });
  t.equal(bytes, usual.bytes, 'two threads');
  await t.rejects(roundTrip('nothing', [], { ACOM_KERNELS: 'fast' }), {
    message: /ACOM_KERNELS is "fast"; use auto, check, reference, simd, relaxed/,
  });
  await t.rejects(roundTrip('nothing', [], { ACOM_THREADS: 'many' }), {
    message: /threads is NaN \(ACOM_THREADS\)/,
  });
});

t.test('several threads: the same bits, and a process that ends', async (t) => {
  const threads = join(repository, 'dist/test/embedding/threads.js');
  const digests = async (count: number) => {
    const { stdout } = await run('node', [threads, String(count)], { timeout: 60_000 });
    return JSON.parse(stdout) as Record<string, number[]>;
  };
  const alone = await digests(1);
  for (const [name, found] of Object.entries(alone)) t.equal(found.length, 1, name);
  t.same(await digests(2), alone);
  t.same(await digests(3), alone);
});
