/** A network from a checkpoint: the tensors that its configuration asks for, as float32, and nothing else. */
import type { Checkpoint } from '../checkpoints/index.js';
import { type NetworkModelConfig, writeModel } from '../codec/index.js';
import { parameterShapes } from '../nn/index.js';
import { contiguous, flat, ModelError, type NdArray, type Tensor, type TypedArray } from '../tensor/index.js';
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
  readonly checkpoint: Checkpoint;
  readonly prefix: string;
}

/** Float32 elements row after row. */
export function floats(
  name: string,
  x: NdArray<TypedArray>,
): { data: Float32Array; shape: readonly number[] } {
  if (x.data instanceof Float32Array) return { data: flat(contiguous(x as Tensor)), shape: x.shape };
  throw new ModelError(`import: ${name} holds ${x.dtype}, expected float32 or half precision`);
}

/** Takes a network's tensors from checkpoints, strictly, and makes a file of them. `more` are tensors besides. */
export async function importNetwork(
  config: NetworkModelConfig,
  sources: readonly Source[],
  isLeftOut: (name: string) => boolean,
  more: ReadonlyMap<string, { data: Float32Array; shape: readonly number[] }> = new Map(),
  notes: readonly string[] = [],
): Promise<ImportedNetwork> {
  const expected = await parameterShapes(config.network);
  const named = sources.flatMap(({ checkpoint, prefix }) =>
    [...checkpoint.tensors].map(([name, { shape }]) => ({ checkpoint, name, full: prefix + name, shape })),
  );
  const report = requireMatch(
    config.name,
    new Map(named.map(({ full, shape }) => [full, { shape }])),
    expected,
    isLeftOut,
  );
  const tensors = new Map(more);
  for (const { checkpoint } of sources) {
    const wanted = named.filter((each) => each.checkpoint === checkpoint && expected.has(each.full));
    for (const { name, full } of wanted) tensors.set(full, floats(full, await checkpoint.read(name)));
  }
  return { config, model: writeModel(config, tensors), report, notes };
}
