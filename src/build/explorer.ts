/** The kernel explorer as static files in dist/explorer; with `--serve`, on a local port. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { kernelSpecs } from '../../kernels/index.js';
import type { OperationSources } from '../explorer/page.js';
import { build, serve } from './esbuild.js';
import { typescriptHighlighter } from './highlight.js';
import { notices } from './notices.js';

export const EXPLORER = join('dist', 'explorer');

/** Files of a kernel's folder that are shown beside each other, in this order. */
const VARIANTS = ['reference.ts', 'simd.ts', 'gpu.ts'];
/** Files that only say what others are. */
const LISTS = ['spec.ts', 'variants.ts'];

/** The folder of kernels whose spec names the operation. */
function folderOf(operation: string): string {
  for (const file of readdirSync('kernels', { recursive: true, encoding: 'utf8' })) {
    if (basename(file) !== 'spec.ts') continue;
    if (readFileSync(join('kernels', file), 'utf8').includes(`name: '${operation}'`)) return dirname(file);
  }
  throw new Error(`no spec names ${operation}`);
}

async function writeSources(): Promise<void> {
  const highlight = await typescriptHighlighter();
  const known = new Map<string, OperationSources>();
  for (const { name: operation } of kernelSpecs) {
    const folder = folderOf(operation);
    let sources = known.get(folder);
    if (!sources) {
      const files = readdirSync(join('kernels', folder)).filter((file) => file.endsWith('.ts'));
      const load = (name: string) => {
        const code = readFileSync(join('kernels', folder, name), 'utf8').trimEnd();
        return { name, html: highlight(code) };
      };
      sources = {
        folder: `kernels/${folder}`,
        variants: VARIANTS.filter((file) => files.includes(file)).map(load),
        parts: files.filter((file) => ![...VARIANTS, ...LISTS].includes(file)).map(load),
        readme: readFileSync(join('kernels', folder, 'README.md'), 'utf8'),
      };
      known.set(folder, sources);
    }
    writeFileSync(join(EXPLORER, 'sources', `${operation}.json`), JSON.stringify(sources));
  }
}

export async function buildExplorer(): Promise<void> {
  rmSync(EXPLORER, { recursive: true, force: true });
  mkdirSync(join(EXPLORER, 'sources'), { recursive: true });
  const { metafile } = await build({
    entryPoints: [{ in: 'dist/src/explorer/page.js', out: 'page' }],
    platform: 'browser',
    minify: true,
    splitting: true,
    // gpu.js is a chunk of its own, loaded by the first benchmark; webgpu is for Node.
    external: ['webgpu'],
    outdir: EXPLORER,
  });
  copyFileSync('src/explorer/page.html', join(EXPLORER, 'index.html'));
  copyFileSync('src/explorer/page.css', join(EXPLORER, 'page.css'));
  writeFileSync(join(EXPLORER, 'LICENSES.txt'), notices(Object.keys(metafile?.inputs ?? {})));
  await writeSources();
  console.log(`${EXPLORER}: ${kernelSpecs.length} operations`);
}

export const serveExplorer = (): Promise<string> => serve(EXPLORER);
