/** GPU kernels after minifiers and a coverage tool: they read sources of functions, which these tools rewrite. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { minify as swc } from '@swc/core';
import { transform as esbuild } from 'esbuild';
import { createInstrumenter } from 'istanbul-lib-instrument';
import { minify as oxc } from 'oxc-minify';
import t from 'tap';
import { minify as terser } from 'terser';
import { build } from '../../src/build/esbuild.js';
import { plainEnvironment } from '../support/cli.js';
import { repository } from '../support/shared.js';

const { outputFiles = [] } = await build({
  entryPoints: [join(repository, 'dist/test/support/gpu-bundle-entry.js')],
  platform: 'node',
  write: false,
});
const bundle = outputFiles[0]!.text;

/** Where gpu.js is found. */
const folder = mkdtempSync(join(repository, 'dist/minified-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const tools: Readonly<Record<string, (code: string) => Promise<string>>> = {
  nothing: async (code) => code,
  terser: async (code) => (await terser(code, { module: true, mangle: true, compress: { passes: 2 } })).code!,
  SWC: async (code) => (await swc(code, { module: true, mangle: true, compress: true })).code,
  oxc: async (code) => (await oxc('bundle.js', code, { module: true, mangle: true, compress: true })).code,
  esbuild: async (code) => (await esbuild(code, { minify: true, format: 'esm', target: 'es2022' })).code,
  istanbul: async (code) => createInstrumenter({ esModules: true }).instrumentSync(code, 'bundle.js'),
};

for (const [name, tool] of Object.entries(tools)) {
  t.test(name, async (t) => {
    const code = await tool(bundle);
    if (name !== 'nothing') t.not(code, bundle, `${bundle.length} to ${code.length} characters`);
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, code);
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env: plainEnvironment() });
    t.match(stdout, /^cpu: \d{2,} calls\nwebasm: \d{2,} calls\n$/, 'all agree with float64');
  });
}
