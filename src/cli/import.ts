import { readFile } from 'node:fs/promises';
import {
  type Cnn14ImportOptions,
  filesOf,
  type ImportedNetwork,
  importArmKeywords,
  importSpeechBrainCnn14,
  importSpeechBrainConformer,
} from '../published/index.js';
import { UsageError } from '../tensor/index.js';
import { requireSafeOutputs, writeOutput } from './files.js';
import { EXIT, type ExitCode, given, naming, report } from './run.js';
import { count } from './text.js';

export interface ImportArguments {
  readonly output: string;
  readonly name?: string;
  readonly fft?: number;
  readonly window?: number;
  readonly heads?: number;
  readonly frontEnd?: string;
  readonly clip?: number;
}

/** Writes an imported network and says what was in the files. */
async function write(
  { config, model, report: found, notes }: ImportedNetwork,
  output: string,
): Promise<ExitCode> {
  await writeOutput(output, model);
  const left = found.leftOut.length > 0 ? `, ${found.leftOut.length} that are not needed left out` : '';
  report(
    [output],
    `${output}: ${count(model.length)} bytes, ${config.name}, ${found.taken} tensors taken${left}`,
    ...notes.map((note) => `note: ${note}`),
    `next: acom ${config.task === 'recognition' ? 'transcribe' : 'classify'} -m ${output} in.wav, or acom model fit ${output}`,
  );
  return EXIT.done;
}

export async function importConformer(folder: string, options: ImportArguments): Promise<ExitCode> {
  const { name, fft, window, heads } = options;
  const settings = given({ name, fftSize: fft, windowSamples: window, heads });
  const imported = await naming(folder, () => importSpeechBrainConformer(filesOf(folder), settings));
  return write(imported, options.output);
}

function frontEndOf(named: string | undefined): '16k' | '44k' | undefined {
  if (named === undefined || named === '16k' || named === '44k') return named;
  throw new UsageError(`--front-end is ${named}; use 16k or 44k`);
}

export async function importCnn14(folder: string, options: ImportArguments): Promise<ExitCode> {
  const { name, frontEnd, clip } = options;
  const settings: Cnn14ImportOptions = given({ name, frontEnd: frontEndOf(frontEnd), clipSeconds: clip });
  const imported = await naming(folder, () => importSpeechBrainCnn14(filesOf(folder), settings));
  return write(imported, options.output);
}

export async function importKeywords(json: string, options: ImportArguments): Promise<ExitCode> {
  const bin = json.replace(/\.json$/, '.bin');
  await requireSafeOutputs([json, bin], [{ path: options.output, of: 'the network' }]);
  const floats = new Uint8Array(await naming(bin, () => readFile(bin)));
  const imported = await naming(json, async () =>
    importArmKeywords(await readFile(json, 'utf8'), floats, given({ name: options.name })),
  );
  return write(imported, options.output);
}
