import { loadCodecModel, packExportedNetwork } from '../codec/index.js';
import { crcText } from '../codec/model-file.js';
import { localPaths, readInput, requireSafeOutputs, writeOutput } from './files.js';
import { modelPath, openHalf } from './model.js';
import { EXIT, type ExitCode, naming, report } from './run.js';
import { count } from './text.js';

export interface PackArguments {
  readonly output: string;
  readonly licence: string;
  readonly trainedOn: readonly string[];
}

/** acom model pack: an exported network to a codec model. */
export async function packModel(network: string, options: PackArguments): Promise<ExitCode> {
  await requireSafeOutputs([network], [{ path: options.output, of: 'the codec model' }]);
  const { model, dropped } = await naming(network, async () =>
    packExportedNetwork(await readInput(network), {
      licence: options.licence,
      trainingData: options.trainedOn,
    }),
  );
  await writeOutput(options.output, model);
  const { fingerprint } = await loadCodecModel(model);
  report(
    [options.output],
    `${options.output}: ${count(model.length)} bytes, fingerprint ${crcText(fingerprint)}`,
    ...(dropped.length > 0 ? [`left out, because neither half needs them: ${dropped.join(', ')}`] : []),
  );
  return EXIT.done;
}

export interface SplitArguments {
  readonly device: string;
  readonly cloud: string;
}

/** acom model split: a codec model to a device file and a cloud file. */
export async function splitModel(path: string | undefined, options: SplitArguments): Promise<ExitCode> {
  await requireSafeOutputs(localPaths(modelPath(path)), [
    { path: options.device, of: 'the device half' },
    { path: options.cloud, of: 'the cloud half' },
  ]);
  const { device, cloud } = await openHalf(path, (model) => model.split());
  await writeOutput(options.device, device);
  await writeOutput(options.cloud, cloud);
  report(
    [options.device, options.cloud],
    `${options.device}: ${count(device.length)} bytes`,
    `${options.cloud}: ${count(cloud.length)} bytes`,
  );
  return EXIT.done;
}
