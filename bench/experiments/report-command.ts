/** npm run experiments:report: writes README.md and the figures beside this file. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../src/training/data/files.js';
import { repository } from '../../test/support/shared.js';
import { makeReport } from './report/index.js';

const folder = join(repository, 'bench/experiments');
const { text, figures } = await makeReport();
await mkdir(join(folder, 'figures'), { recursive: true });
for (const [name, svg] of figures) await writeWhole(join(folder, 'figures', `${name}.svg`), svg);
await writeWhole(join(folder, 'README.md'), text);
console.log(`written: ${join(folder, 'README.md')}, ${figures.size} figures`);
