/**
 * npm run size: gzipped bytes of what a browser loads to encode or to decode, without weights. A bundler that splits
 * leaves each kind of network in a file of its own, of which a model needs one; so counted are the entry, what it
 * imports at once, and the layers of one network.
 */
import { gzipSync } from 'node:zlib';
import { build } from './esbuild.js';

const KILOBYTE = 1000;
/** The most that one half of a recogniser may take. */
const MOST = 60 * KILOBYTE;

interface Entry {
  /** What is imported from the package. */
  readonly load: string;
  /** Files of src/nn that are loaded when a model is opened. */
  readonly layers: readonly string[];
  readonly most?: number;
}

const ENTRIES: Readonly<Record<string, Entry>> = {
  'encoder only': { load: 'loadDeviceEncoder', layers: ['conformer-prefix'], most: MOST },
  'decoder only': { load: 'loadCloudDecoder', layers: ['conformer-suffix'], most: MOST },
  both: { load: 'loadCodecModel', layers: ['conformer-prefix', 'conformer-suffix'] },
  'encoder, CNN14': { load: 'loadDeviceEncoder', layers: ['cnn14'] },
  'classifier, CNN14': { load: 'loadCloudClassifier', layers: ['cnn14'] },
  'encoder, keywords': { load: 'loadDeviceEncoder', layers: ['keyword-cnn'] },
  'classifier, keywords': { load: 'loadCloudClassifier', layers: ['keyword-cnn'] },
};

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

const kilobytes = (bytes: number): string => `${(bytes / KILOBYTE).toFixed(1)} kB`;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

for (const [name, entry] of Object.entries(ENTRIES)) {
  const files = await filesOf(entry);
  const bytes = sum(files.map((contents) => gzipSync(contents, { level: 9 }).length));
  const minified = sum(files.map(({ length }) => length));
  console.log(
    `${name.padEnd(20)} ${kilobytes(bytes).padStart(8)} gzipped, ${kilobytes(minified)} minified, ${files.length} files`,
  );
  if (entry.most !== undefined && bytes > entry.most) {
    console.error(`${name}: more than ${kilobytes(entry.most)}`);
    process.exitCode = 1;
  }
}
