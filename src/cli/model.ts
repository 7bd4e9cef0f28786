/** Which codec model a command uses: --model, the environment variable ACOM_MODEL, or the one that ships. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CodecModel, loadCodecModel, loadNetworkModel, type NetworkModel } from '../codec/index.js';
import { naming } from './run.js';

interface PackageJson {
  readonly name?: string;
  readonly version?: string;
}

/** The package that this file belongs to, wherever a bundler has put it. */
function findPackage(): { readonly folder: string; readonly version: string } {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
      if (name === 'acom') return { folder, version: version ?? 'unknown' };
    } catch {
      // no package.json here: look one folder up
    }
    if (dirname(folder) === folder) throw new Error('internal: the package of this command was not found');
  }
}

const home = findPackage();

export const version = home.version;

/** A file or folder that ships with the package. */
export const packaged = (...path: string[]): string => join(home.folder, ...path);

/**
 * A module of the package, from where it lies: some name files that worker threads load, which are not in the bundle that
 * this command is in when it is installed.
 */
export const fromPackage = async <M>(path: string): Promise<M> =>
  (await import(pathToFileURL(packaged('dist', 'src', path)).href)) as M;

export const modelPath = (given: string | undefined, shipped = 'commands'): string =>
  given ?? process.env['ACOM_MODEL'] ?? packaged('weights', `${shipped}.safetensors`);

/** Opens a codec model and gives what `take` wants of it; errors name the file. */
export const openHalf = <T>(
  given: string | undefined,
  take: (model: CodecModel) => T | Promise<T>,
): Promise<T> => naming(modelPath(given), async () => take(await loadCodecModel(modelPath(given))));

/** The same of a network, with codebooks or without. */
export const openNetwork = <T>(
  given: string | undefined,
  take: (model: NetworkModel) => T | Promise<T>,
): Promise<T> => naming(modelPath(given), async () => take(await loadNetworkModel(modelPath(given))));

export const openModel = (given: string | undefined): Promise<CodecModel> =>
  openHalf(given, (model) => model);
