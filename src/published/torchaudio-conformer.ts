/**
 * torchaudio.models.Conformer: an encoder without a front end and without a head, so it is no model that a codec could be
 * made of. It becomes a safetensors file with its tensors under torchaudio's names and in its metadata
 *
 *   format   "acom encoder 1"
 *   config   TorchaudioConformerConfig as JSON
 */
import {
  byteSource,
  openSafetensors,
  type SafetensorsHeader,
  writeSafetensors,
} from '../checkpoints/index.js';
import type { ModelSource } from '../codec/index.js';
import {
  checkTorchaudioConformer,
  Parameters,
  TorchaudioConformer,
  type TorchaudioConformerConfig,
} from '../nn/index.js';
import { ModelError, UsageError } from '../tensor/index.js';
import { countOf, openNamed, type PublishedCheckpoint, shapeOf } from './files.js';
import { floats } from './network.js';
import { type ImportReport, requireMatch } from './report.js';

export interface TorchaudioImportOptions {
  /** Attention heads, which shapes do not tell. */
  readonly heads: number;
  /** Whether the convolution module comes before attention, which shapes do not tell either; default false. */
  readonly convolutionFirst?: boolean;
  /** What stands before `conformer_layers.` in the names of a larger model; needed where it has several conformers. */
  readonly prefix?: string;
}

/** What an import gives. */
export interface ImportedEncoder {
  readonly config: TorchaudioConformerConfig;
  /** The file. */
  readonly model: Uint8Array;
  readonly report: ImportReport;
  /** What stood before the names, and was taken off. */
  readonly prefix: string;
}

const FORMAT = 'acom encoder 1';
const WHAT = 'torchaudio conformer';
const MODEL = 'state dict of torchaudio.models.Conformer';

/** Names and shapes of all parameters of a network. */
function parameterShapes(config: TorchaudioConformerConfig): Map<string, readonly number[]> {
  const asked = new Map<string, readonly number[]>();
  new TorchaudioConformer(new Parameters(new Map(), '', [], asked), config);
  return asked;
}

/** What stands before the names of the conformer. */
function prefixOf({ tensors, file }: PublishedCheckpoint, wanted: string | undefined): string {
  const first = 'conformer_layers.0.self_attn.in_proj_weight';
  const prefixes = [...tensors.keys()]
    .filter((name) => name === first || name.endsWith(`.${first}`))
    .map((name) => name.slice(0, -first.length));
  const found = wanted === undefined ? prefixes : prefixes.filter((prefix) => prefix === wanted);
  if (found.length === 1) return found[0]!;
  if (prefixes.length === 0)
    throw new ModelError(`${file}: there is no tensor ${first}: this is no ${MODEL}`);
  throw new UsageError(
    `${file} has ${prefixes.length} conformers, by what stands before their names: ${prefixes.map((prefix) => JSON.stringify(prefix)).join(', ')}; ` +
      'say which is meant (--prefix)',
  );
}

function configOf(
  checkpoint: PublishedCheckpoint,
  prefix: string,
  { heads, convolutionFirst = false }: TorchaudioImportOptions,
): TorchaudioConformerConfig {
  const first = (name: string, axes: number) =>
    shapeOf(checkpoint, `${prefix}conformer_layers.0.${name}`, axes, MODEL);
  return {
    type: 'torchaudio-conformer',
    width: first('self_attn.in_proj_weight', 2)[1]!,
    heads,
    layers: countOf(checkpoint, (layer) => `${prefix}conformer_layers.${layer}.self_attn.in_proj_weight`),
    feedForward: first('ffn1.sequential.1.weight', 2)[0]!,
    depthwiseTaps: first('conv_module.sequential.2.weight', 3)[2]!,
    norm: checkpoint.tensors.has(`${prefix}conformer_layers.0.conv_module.sequential.3.running_mean`)
      ? 'batch'
      : 'group',
    convolutionFirst,
  };
}

/**
 * Imports a conformer from a checkpoint, alone or a part of a larger model. Throws SourceError where the file can't be
 * read, FormatError where it is damaged, ModelError or ImportError where it has no such conformer.
 */
export async function importTorchaudioConformer(
  from: ModelSource,
  options: TorchaudioImportOptions,
): Promise<ImportedEncoder> {
  const source = await byteSource(from);
  const checkpoint = await openNamed(source.name, source);
  const prefix = prefixOf(checkpoint, options.prefix);
  const config = configOf(checkpoint, prefix, options);
  checkTorchaudioConformer(config);
  const expected = parameterShapes(config);
  const found = new Map(
    [...checkpoint.tensors].map(([name, tensor]) => [
      // What belongs to the rest of a larger model keeps its name, which is none of the conformer's.
      name.startsWith(`${prefix}conformer_layers.`) ? name.slice(prefix.length) : name,
      tensor,
    ]),
  );
  const isLeftOut = (name: string) =>
    !name.startsWith('conformer_layers.') || name.endsWith('.num_batches_tracked');
  const report = requireMatch(WHAT, found, expected, isLeftOut);
  const names = [...expected.keys()];
  const read = await checkpoint.readAll(names.map((name) => prefix + name));
  const tensors = new Map(
    names.map((name) => [name, floats(`${checkpoint.file}: ${prefix}${name}`, read.get(prefix + name)!)]),
  );
  const model = writeSafetensors(tensors, { format: FORMAT, config: JSON.stringify(config) });
  return { config, model, report, prefix };
}

/** Whether the metadata of a safetensors file says that it is an encoder. */
export const isEncoder = ({ metadata }: SafetensorsHeader): boolean => metadata.get('format') === FORMAT;

/** Reads and checks the metadata of an encoder. Throws ModelError. */
export function parseEncoder({ metadata }: SafetensorsHeader): TorchaudioConformerConfig {
  if (metadata.get('format') !== FORMAT) {
    throw new ModelError(
      `${WHAT}: the file's format is ${JSON.stringify(metadata.get('format')) ?? 'not said'}, expected "${FORMAT}"; make one ` +
        'with: acom import torchaudio-conformer',
    );
  }
  let config: TorchaudioConformerConfig | null;
  try {
    config = JSON.parse(metadata.get('config') ?? 'null') as TorchaudioConformerConfig | null;
  } catch (cause) {
    throw new ModelError(`${WHAT}: the configuration is no JSON: ${(cause as Error).message}`);
  }
  if (config?.type !== 'torchaudio-conformer') {
    throw new ModelError(`${WHAT}: the configuration is not that of a torchaudio-conformer`);
  }
  checkTorchaudioConformer(config);
  return config;
}

/**
 * Opens a file that the import made. Throws SourceError where it can't be read, FormatError where it is no safetensors
 * file, ModelError where it is no encoder or its tensors are not exactly those of its configuration.
 */
export async function loadTorchaudioConformer(source: ModelSource): Promise<TorchaudioConformer> {
  const file = await openSafetensors(await byteSource(source));
  const config = parseEncoder(file);
  requireMatch(WHAT, file.tensors, parameterShapes(config), () => false);
  const parameters = new Parameters(await file.readAll([...file.tensors.keys()]));
  const conformer = new TorchaudioConformer(parameters, config);
  parameters.requireComplete(WHAT);
  return conformer;
}
