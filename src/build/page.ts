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
import { build, serve } from './esbuild.js';
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

export async function buildPage(folder: string = PAGE): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = { platform: 'browser', minify: true, outdir: folder } as const;
  // One file each: a page of many small ones would use up the requests that a server lets a client make at once.
  const entryPoints = ['page', 'worker', 'worklet'].map(script);
  const { metafile } = await build({ ...options, entryPoints });
  for (const [name, from] of Object.entries(COPIES)) copyFileSync(from, join(folder, name));
  const hasModel = existsSync(LIVE_MODEL);
  if (hasModel) copyFileSync(LIVE_MODEL, join(folder, 'model.safetensors'));

  const files = readdirSync(folder).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(folder, file)));
  await build({
    ...options,
    entryPoints: [script('service-worker')],
    define: {
      // The folder itself is index.html.
      FILES: JSON.stringify(['./', ...files]),
      VERSION: JSON.stringify(hash.digest('hex').slice(0, 16)),
    },
  });
  writeFileSync(join(folder, 'LICENSES.txt'), notices(Object.keys(metafile?.inputs ?? {})));
  console.log(
    `${folder}: ${files.length} files${hasModel ? '' : `, no model because there is no ${LIVE_MODEL}`}`,
  );
}

export const servePage = (): Promise<string> => serve(PAGE);
