import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SourceError } from '../../tensor/index.js';
import type { Dataset } from './dataset.js';
import { ESC50_TABLE, readEsc50 } from './esc50.js';
import { readFsdd } from './fsdd.js';
import { MANIFEST, readManifestFolder } from './manifest.js';
import { readSpeechCommands } from './speech-commands.js';

/** How datasets are recognised, and what reads them. */
const LAYOUTS: readonly (readonly [string, (folder: string) => Dataset | Promise<Dataset>])[] = [
  [MANIFEST, readManifestFolder],
  [ESC50_TABLE, (folder) => readEsc50(folder)],
  ['recordings', readFsdd],
  ['testing_list.txt', (folder) => readSpeechCommands(folder)],
];

/**
 * Reads what there is in a folder: one with a manifest, the Free Spoken Digit Dataset, Speech Commands or ESC-50 as their
 * authors publish them. Recordings that are missing or have no sound header are listed under `problems`.
 */
export async function readDataset(given: string): Promise<Dataset> {
  const folder = resolve(given);
  const layout = LAYOUTS.find(([sign]) => existsSync(join(folder, sign)));
  if (layout !== undefined) return layout[1](folder);
  const signs = LAYOUTS.map(([sign]) => sign).join(', ');
  throw new SourceError(
    existsSync(folder)
      ? `${folder}: this is no dataset that acom reads: it has none of ${signs}`
      : `${folder}: there is no such folder`,
    undefined,
    !existsSync(folder),
  );
}
