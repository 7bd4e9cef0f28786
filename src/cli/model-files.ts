import { readFile } from 'node:fs/promises';
import { loadCodecModel, packExportedNetwork } from '../codec/index.js';
import { writeOutput } from './files.js';
import { modelPath } from './model.js';
import { EXIT, type ExitCode, print } from './run.js';
import { count } from './text.js';

export interface PackArguments {
  readonly output: string;
  readonly licence: string;
  readonly trainedOn: readonly string[];
}

/** acom model pack: an exported network to a codec model. */
export async function packModel(network: string, options: PackArguments): Promise<ExitCode> {
  const { model, dropped } = packExportedNetwork(new Uint8Array(await readFile(network)), {
    licence: options.licence,
    trainingData: options.trainedOn,
  });
  await writeOutput(options.output, model);
  const { fingerprint } = await loadCodecModel(model);
  print(
    `${options.output}: ${count(model.length)} bytes, fingerprint ${fingerprint.toString(16).padStart(8, '0')}`,
  );
  if (dropped.length > 0) print(`left out, because neither half needs them: ${dropped.join(', ')}`);
  return EXIT.done;
}

export interface SplitArguments {
  readonly device: string;
  readonly cloud: string;
}

/** acom model split: a codec model to a device file and a cloud file. */
export async function splitModel(path: string | undefined, options: SplitArguments): Promise<ExitCode> {
  const { device, cloud } = await (await loadCodecModel(modelPath(path))).split();
  await writeOutput(options.device, device);
  await writeOutput(options.cloud, cloud);
  print(`${options.device}: ${count(device.length)} bytes`, `${options.cloud}: ${count(cloud.length)} bytes`);
  return EXIT.done;
}
