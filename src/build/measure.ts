/**
 * What a browser loads to encode or to decode, without weights. A bundler that splits leaves each kind of network in a
 * file of its own, of which a model needs one; so counted are the entry, what it imports at once, and the layers of one
 * network.
 */
import { gzipSync } from 'node:zlib';
import { build } from './esbuild.js';

const KILOBYTE = 1000;

export interface Entry {
  readonly name: string;
  /** What is imported from the package. */
  readonly load: string;
  /** Files of src/nn that are loaded when a model is opened. */
  readonly layers: readonly string[];
  /** Most gzipped bytes that it may take. */
  readonly most?: number;
}

/**
 * Limits hold what is reached, so that nothing is loaded again that is not needed. The aim for each half of a recogniser
 * is 60 kB, which neither keeps to since both can be live (some 4 kB a half). What a kind of network says of itself without its layers is in
 * every entry, up to 1 kB a kind: a file can be of any.
 */
export const ENTRIES: readonly Entry[] = [
  { name: 'encoder only', load: 'loadDeviceEncoder', layers: ['conformer-prefix'], most: 86 * KILOBYTE },
  { name: 'decoder only', load: 'loadCloudDecoder', layers: ['conformer-suffix'], most: 63.5 * KILOBYTE },
  { name: 'both', load: 'loadCodecModel', layers: ['conformer-prefix', 'conformer-suffix'] },
  { name: 'encoder, CNN14', load: 'loadDeviceEncoder', layers: ['cnn14'], most: 78.5 * KILOBYTE },
  { name: 'classifier, CNN14', load: 'loadCloudClassifier', layers: ['cnn14'], most: 59.5 * KILOBYTE },
  { name: 'encoder, keywords', load: 'loadDeviceEncoder', layers: ['keyword-cnn'], most: 77.5 * KILOBYTE },
  {
    name: 'classifier, keywords',
    load: 'loadCloudClassifier',
    layers: ['keyword-cnn'],
    most: 58.5 * KILOBYTE,
  },
  {
    name: 'encoder, keyword conformer',
    load: 'loadDeviceEncoder',
    layers: ['keyword-conformer-prefix'],
    most: 89 * KILOBYTE,
  },
  {
    name: 'classifier, keyword conformer',
    load: 'loadCloudClassifier',
    layers: ['keyword-conformer-suffix'],
    most: 61.5 * KILOBYTE,
  },
];

/** The files of a split bundle that a browser loads, minified. */
async function filesOf({ load, layers }: Entry): Promise<Uint8Array[]> {
  const { outputFiles = [], metafile } = await build({
    stdin: { contents: `export { ${load} } from './dist/src/index.js';`, resolveDir: process.cwd() },
    platform: 'browser',
    minify: true,
    splitting: true,
    outdir: 'size',
    write: false,
  });
  const outputs = metafile?.outputs ?? {};
  const loaded = new Set<string>();
  const visit = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind } of outputs[path]!.imports) {
      if (kind === 'import-statement' && next in outputs) visit(next);
    }
  };
  for (const entryPoint of ['<stdin>', ...layers.map((file) => `dist/src/nn/${file}.js`)]) {
    const path = Object.keys(outputs).find((output) => outputs[output]!.entryPoint === entryPoint);
    if (path === undefined) throw new Error(`${entryPoint} is in no file of its own`);
    visit(path);
  }
  return [...loaded].map((path) => outputFiles.find((file) => file.path.endsWith(`/${path}`))!.contents);
}

export interface Size {
  readonly files: number;
  /** Bytes, minified. */
  readonly minified: number;
  /** Bytes, each file gzipped for itself, as servers do it. */
  readonly gzipped: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

export async function sizeOf(entry: Entry): Promise<Size> {
  const files = await filesOf(entry);
  return {
    files: files.length,
    minified: sum(files.map(({ length }) => length)),
    gzipped: sum(files.map((contents) => gzipSync(contents, { level: 9 }).length)),
  };
}

export const kilobytes = (bytes: number): string => `${(bytes / KILOBYTE).toFixed(1)} kB`;
