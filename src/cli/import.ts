import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  type Cnn14ImportOptions,
  filesOf,
  type ImportedNetwork,
  type ImportReport,
  importArmKeywords,
  importSpeechBrainCnn14,
  importSpeechBrainConformer,
  importTorchaudioConformer,
  type OpenFile,
} from '../published/index.js';
import { SourceError, UsageError } from '../tensor/index.js';
import { localPaths, PIPE, requireSafeOutputs, writeOutput } from './files.js';
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

/** Paths of the files that an import opened: none of them is written over. */
type Opened = string[];

/** A folder's files, kept count of. Throws UsageError where a file is named in place of its folder. */
function folderOf(folder: string): { open: OpenFile; opened: Opened } {
  for (const path of localPaths(folder)) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw new SourceError(`${folder}: there is no such folder`);
    if (!found.isDirectory()) throw new UsageError(`${folder} is a file: name the folder that it is in`);
  }
  const files = filesOf(folder);
  const opened: Opened = [];
  const open: OpenFile = async (name) => {
    const source = await files(name);
    if (source !== null) opened.push(source.name);
    return source;
  };
  return { open, opened };
}

const leftOut = ({ leftOut: names }: ImportReport): string =>
  names.length > 0 ? `, ${names.length} not needed and left out` : '';

/** What to do with a file; nothing of what goes into a pipe. */
const next = (output: string, what: string): string[] => (output === PIPE ? [] : [`next: ${what}`]);

/** Writes an imported network and says what was in the files. */
async function write(
  { config, model, report: found, notes }: ImportedNetwork,
  output: string,
  opened: Opened,
): Promise<ExitCode> {
  await requireSafeOutputs(opened.flatMap(localPaths), [{ path: output, of: 'the network' }]);
  const run = config.task === 'recognition' ? 'transcribe' : 'classify';
  await writeOutput(output, model);
  report(
    [output],
    `${output}: ${count(model.length)} bytes, ${config.name}, ${found.taken} tensors taken${leftOut(found)}`,
    ...notes.map((note) => `note: ${note}`),
    ...next(output, `acom ${run} -m ${output} in.wav, or acom model fit ${output}`),
  );
  return EXIT.done;
}

export async function importConformer(folder: string, options: ImportArguments): Promise<ExitCode> {
  const { name, fft, window, heads } = options;
  const settings = given({ name, fftSize: fft, windowSamples: window, heads });
  const { open, opened } = folderOf(folder);
  const imported = await naming(folder, () => importSpeechBrainConformer(open, settings));
  return write(imported, options.output, opened);
}

function frontEndOf(named: string | undefined): '16k' | '44k' | undefined {
  if (named === undefined || named === '16k' || named === '44k') return named;
  throw new UsageError(`--front-end is ${named}; use 16k or 44k`);
}

export async function importCnn14(folder: string, options: ImportArguments): Promise<ExitCode> {
  const { name, frontEnd, clip } = options;
  const settings: Cnn14ImportOptions = given({ name, frontEnd: frontEndOf(frontEnd), clipSeconds: clip });
  const { open, opened } = folderOf(folder);
  const imported = await naming(folder, () => importSpeechBrainCnn14(open, settings));
  return write(imported, options.output, opened);
}

export async function importKeywords(json: string, options: ImportArguments): Promise<ExitCode> {
  if (!json.endsWith('.json')) throw new UsageError(`${json}: name the .json file; the .bin is beside it`);
  const bin = json.replace(/\.json$/, '.bin');
  const floats = new Uint8Array(await naming(bin, () => readFile(bin)));
  const imported = await naming(json, async () =>
    importArmKeywords(await readFile(json, 'utf8'), floats, given({ name: options.name })),
  );
  return write(imported, options.output, [json, bin]);
}

export interface EncoderArguments {
  readonly output: string;
  readonly heads: number;
  readonly convolutionFirst?: boolean;
  readonly prefix?: string;
}

/** acom import torchaudio-conformer: an encoder, with which no other command can do anything but show it. */
export async function importEncoder(file: string, options: EncoderArguments): Promise<ExitCode> {
  const { output, heads, convolutionFirst, prefix } = options;
  await requireSafeOutputs(localPaths(file), [{ path: output, of: 'the encoder' }]);
  const settings = { heads, ...given({ convolutionFirst, prefix }) };
  const imported = await naming(file, () => importTorchaudioConformer(file, settings));
  await writeOutput(output, imported.model);
  report(
    [output],
    `${output}: ${count(imported.model.length)} bytes, torchaudio's Conformer, ${imported.report.taken} tensors taken${leftOut(imported.report)}`,
    ...(imported.prefix === '' ? [] : [`note: ${imported.prefix} was taken off their names`]),
    ...next(output, `acom info ${output}, or loadTorchaudioConformer() in a program`),
  );
  return EXIT.done;
}
