/** The browser page as static files in dist/page, with a model and a sample beside it. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from './esbuild.js';
import { notices } from './notices.js';

export const PAGE = join('dist', 'page');
/** A recogniser that runs in chunks. */
export const LIVE_MODEL = join('weights', 'commands-live.safetensors');

/** Files of src/web that go as they are, by their names in the page. */
const COPIES: Readonly<Record<string, string>> = {
  'index.html': join('src', 'web', 'page.html'),
  'page.css': join('src', 'web', 'page.css'),
  'icon.svg': join('src', 'web', 'icon.svg'),
  'sample.wav': join('weights', 'samples', 'digits.wav'),
};

const script = (name: string): string => join('dist', 'src', 'web', `${name}.js`);

export async function buildPage(): Promise<void> {
  rmSync(PAGE, { recursive: true, force: true });
  mkdirSync(PAGE, { recursive: true });
  const options = { platform: 'browser', minify: true, outdir: PAGE } as const;
  // One file each: a page of many small ones would use up the requests that a server lets a client make at once.
  const entryPoints = ['page', 'worker', 'worklet'].map(script);
  const { metafile } = await build({ ...options, entryPoints });
  for (const [name, from] of Object.entries(COPIES)) copyFileSync(from, join(PAGE, name));
  const hasModel = existsSync(LIVE_MODEL);
  if (hasModel) copyFileSync(LIVE_MODEL, join(PAGE, 'model.safetensors'));

  const files = readdirSync(PAGE).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(PAGE, file)));
  await build({
    ...options,
    entryPoints: [script('service-worker')],
    define: {
      // The folder itself is index.html.
      FILES: JSON.stringify(['./', ...files]),
      VERSION: JSON.stringify(hash.digest('hex').slice(0, 16)),
    },
  });
  writeFileSync(join(PAGE, 'LICENSES.txt'), notices(Object.keys(metafile?.inputs ?? {})));
  console.log(
    `${PAGE}: ${files.length} files${hasModel ? '' : `, no model because there is no ${LIVE_MODEL}`}`,
  );
}
