/**
 * Bundles for people who have no bundler: the command line with its argument parser inside, so that the
 * package depends on nothing more than its core does, and the library as one ES module for browsers.
 * Run by `npm run bundle`, before packing.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleAllKernels } from '../../kernels/index.js';
import { type BuildOptions, build } from './esbuild.js';
import { buildExplorer } from './explorer.js';
import { notices } from './notices.js';
import { buildPage } from './page.js';

/** CommonJS packages inside an ES module ask for `require`. */
const REQUIRE =
  "import { createRequire as acomRequire } from 'node:module'; const require = acomRequire(import.meta.url);";

async function bundle(
  folder: string,
  options: BuildOptions,
  file = 'acom.js',
  licences = 'LICENSES.txt',
): Promise<void> {
  const outfile = join('dist', folder, file);
  const { metafile } = await build({ ...options, outfile });
  writeFileSync(join('dist', folder, licences), notices(Object.keys(metafile?.inputs ?? {})));
  console.log(`${outfile}: ${readFileSync(outfile).length} bytes`);
}

/** The command, the threads of its batches, which it looks for beside itself, and what both of them have. */
async function bundleCommand(): Promise<void> {
  // Names of shared files change with what is in them.
  rmSync('dist/bin', { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { acom: 'dist/src/cli/main.js', 'batch-worker': 'dist/src/cli/batch-worker.js' },
    outdir: 'dist/bin',
    splitting: true,
    platform: 'node',
    banner: { js: REQUIRE },
  });
  writeFileSync('dist/bin/LICENSES.txt', notices(Object.keys(metafile?.inputs ?? {})));
  const outputs = Object.values(metafile?.outputs ?? {});
  const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
  console.log(`dist/bin: ${bytes} bytes in ${outputs.length} files`);
}

await bundleCommand();
const page: BuildOptions = { platform: 'browser', minify: true };
await bundle('browser', { ...page, entryPoints: ['dist/src/index.js'] });
// With gpu.js inside, because a page has no other way to it; webgpu is for Node.
await bundle(
  'browser',
  { ...page, entryPoints: ['dist/src/gpu/index.js'], external: ['webgpu'] },
  'acom-gpu.js',
  'LICENSES-gpu.txt',
);

// All SIMD kernels as one module, for runtimes that compile none from bytes.
const kernels = assembleAllKernels();
writeFileSync(join('dist', 'browser', 'acom-kernels.wasm'), kernels);
console.log(`dist/browser/acom-kernels.wasm: ${kernels.length} bytes`);

await buildExplorer();
await buildPage();
