/** node dist/src/training/data/download-command.js NAME FOLDER: a dataset from where it is published. */
import { AcomError } from '../../tensor/index.js';
import { LOCK_FILE } from './checksums.js';
import { fetchDataset } from './download.js';
import { SOURCES } from './sources.js';

const HELP = `download-command.js NAME FOLDER: fetches, checks and unpacks a dataset. Names:
${Object.values(SOURCES)
  .map(({ name, licence, attribution }) => `  ${name.padEnd(16)} ${licence}; ${attribution}`)
  .join('\n')}`;

const [name = '', folder, ...rest] = process.argv.slice(2);
if (folder === undefined || rest.length > 0 || !Object.hasOwn(SOURCES, name)) {
  console.error(HELP);
  process.exitCode = 2;
} else {
  const source = SOURCES[name as keyof typeof SOURCES];
  let said = -1;
  const onProgress = (done: number, all: number | undefined): void => {
    // Every 10 MB: the length is not always known.
    const now = Math.floor(done / 1e7);
    if (now === said) return;
    said = now;
    console.error(`${(done / 1e6).toFixed(0)} MB${all === undefined ? '' : ` of ${(all / 1e6).toFixed(0)}`}`);
  };
  try {
    const trust = await fetchDataset(source, folder, { onProgress });
    console.log(`${folder}: ${source.name}, ${source.licence}. Name the authors: ${source.attribution}`);
    if (trust === 'already there') console.log('It was there already; nothing was fetched.');
    if (trust === 'published') console.log('Its SHA-256 is the published one.');
    if (trust === 'remembered') console.log(`Its SHA-256 is the one in ${LOCK_FILE}.`);
    if (trust === 'first seen') {
      console.log(
        `Nobody publishes its SHA-256. The one of this download is now in ${LOCK_FILE}, and must come again.`,
      );
    }
  } catch (error) {
    if (!(error instanceof AcomError)) throw error;
    console.error(`${error.name}: ${error.message}`);
    process.exitCode = 1;
  }
}
