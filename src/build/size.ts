/**
 * npm run size: gzipped bytes of browser bundles that only encode, only decode, or do both, without weights.
 */
import { gzipSync } from 'node:zlib';
import { build } from './esbuild.js';

const KILOBYTE = 1000;
/** The most that a bundle of one half may take. */
const MOST = 60 * KILOBYTE;

const entries: Readonly<Record<string, string>> = {
  'encoder only': 'loadDeviceEncoder',
  'decoder only': 'loadCloudDecoder',
  both: 'loadCodecModel',
};

for (const [name, imported] of Object.entries(entries)) {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${imported} } from './dist/src/index.js';`, resolveDir: process.cwd() },
    platform: 'browser',
    minify: true,
    write: false,
  });
  const contents = outputFiles?.[0]?.contents ?? new Uint8Array(0);
  const bytes = gzipSync(contents, { level: 9 }).length;
  const kilobytes = (count: number) => `${(count / KILOBYTE).toFixed(1)} kB`;
  console.log(
    `${name.padEnd(14)} ${kilobytes(bytes).padStart(8)} gzipped, ${kilobytes(contents.length)} minified`,
  );
  if (name !== 'both' && bytes > MOST) {
    console.error(`${name}: more than ${kilobytes(MOST)}`);
    process.exitCode = 1;
  }
}
