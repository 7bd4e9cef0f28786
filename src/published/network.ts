/** A network from a checkpoint: the tensors that its configuration asks for, as float32, and nothing else. */
import { type NetworkModelConfig, writeModel } from '../codec/index.js';
import { kindOf, parameterShapes } from '../nn/index.js';
import { contiguous, flat, ModelError, type NdArray, type Tensor, type TypedArray } from '../tensor/index.js';
import type { PublishedCheckpoint } from './files.js';
import { type ImportReport, requireMatch } from './report.js';

/** What an import gives. */
export interface ImportedNetwork {
  readonly config: NetworkModelConfig;
  /** The file: a network without codebooks, which `fitCodec` gives some. */
  readonly model: Uint8Array;
  readonly report: ImportReport;
  /** One line for each thing that had to be assumed. */
  readonly notes: readonly string[];
}

/** A checkpoint and the prefix that its names get. */
export interface Source {
  readonly checkpoint: PublishedCheckpoint;
  readonly prefix: string;
}

/** Float32 elements row after row. */
export function floats(
  name: string,
  x: NdArray<TypedArray>,
): { data: Float32Array; shape: readonly number[] } {
  if (x.data instanceof Float32Array) return { data: flat(contiguous(x as Tensor)), shape: x.shape };
  throw new ModelError(`${name} holds ${x.dtype}, expected float32 or half precision`);
}

/** Takes a network's tensors from checkpoints, strictly, and makes a file of them. `more` are tensors besides. */
export async function importNetwork(
  config: NetworkModelConfig,
  sources: readonly Source[],
  isLeftOut: (name: string) => boolean,
  more: ReadonlyMap<string, { data: Float32Array; shape: readonly number[] }> = new Map(),
  notes: readonly string[] = [],
): Promise<ImportedNetwork> {
  // The sizes come from a file: they are bounded before anything is built of them.
  kindOf(config.network).check(config.network);
  const expected = await parameterShapes(config.network);
  const named = sources.flatMap(({ checkpoint, prefix }) =>
    [...checkpoint.tensors].map(([name, tensor]) => [prefix + name, tensor] as const),
  );
  const report = requireMatch(config.name, new Map(named), expected, isLeftOut);
  const tensors = new Map(more);
  for (const { checkpoint, prefix } of sources) {
    const wanted = [...checkpoint.tensors.keys()].filter((name) => expected.has(prefix + name));
    // At once: tensors may be parts of one storage, which is not to be read for each of them.
    for (const [name, x] of await checkpoint.readAll(wanted)) {
      tensors.set(prefix + name, floats(`${checkpoint.file}: ${name}`, x));
    }
  }
  return { config, model: writeModel(config, tensors), report, notes };
}
