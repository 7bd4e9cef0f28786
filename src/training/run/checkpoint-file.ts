/**
 * Checkpoints of a run: one safetensors file with all that going on needs.
 *
 *   weights.<name>  buffers.<name>         what the network computes with
 *   averages.<name>                        averages of the weights: what is validated and used in the end
 *   moments.first.<name>  .second.<name>   of AdamW
 *
 * The header's `training` is JSON about where the run stands.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readSafetensors, writeSafetensors } from '../../checkpoints/index.js';
import { FormatError, type NdArray, SourceError, type Tensor, type TypedArray } from '../../tensor/index.js';
import type { Layout } from './layout.js';

/** Where a run stands, beside its numbers. */
export interface Standing {
  /** Steps that were done. */
  readonly step: number;
  /** Epoch that the next step belongs to, from 0, and its batch in that epoch. */
  readonly epoch: number;
  readonly position: number;
  readonly best: { readonly step: number; readonly score: number } | null;
  readonly history: readonly ValidationRecord[];
  /** Settings that the numbers depend on; a run goes on with the same ones only. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ValidationRecord {
  readonly step: number;
  readonly score: number;
  /** What else the workload makes of the validation set. */
  readonly values: Readonly<Record<string, number>>;
}

/** The flat arrays of a run. `averages` is null where none are kept. */
export interface RunNumbers {
  readonly weights: Float32Array;
  readonly buffers: Float32Array;
  readonly averages: Float32Array | null;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export interface Layouts {
  readonly parameters: Layout;
  readonly buffers: Layout;
}

const VERSION = '1';

const partsOf = (numbers: RunNumbers, { parameters, buffers }: Layouts) =>
  [
    ['weights.', numbers.weights, parameters],
    ['buffers.', numbers.buffers, buffers],
    ...(numbers.averages ? ([['averages.', numbers.averages, parameters]] as const) : []),
    ['moments.first.', numbers.first, parameters],
    ['moments.second.', numbers.second, parameters],
  ] as const;

/** The bytes of a checkpoint. */
export function checkpointBytes(numbers: RunNumbers, layouts: Layouts, standing: Standing): Uint8Array {
  const tensors = partsOf(numbers, layouts).flatMap(([prefix, values, { placed }]) =>
    placed.map(
      ({ name, shape, offset, size }) =>
        [prefix + name, { data: values.subarray(offset, offset + size), shape }] as const,
    ),
  );
  return writeSafetensors(new Map(tensors), { acom_training: VERSION, training: JSON.stringify(standing) });
}

/** Writes a file whole: whatever ends the process, the old file or the new one is there. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}.part`;
  const file = await open(unfinished, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  // The new name is safe when its folder is.
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const isTensor = (x: NdArray<TypedArray>): x is Tensor => x.data instanceof Float32Array;

async function readParts(
  path: string,
): Promise<{ tensors: ReadonlyMap<string, NdArray<TypedArray>>; standing: Standing }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT';
    throw new SourceError(`${path}: ${missing ? 'there is no such file' : cause.message}`, cause, missing);
  });
  const { metadata, tensors } = readSafetensors(bytes);
  const [version, training] = [metadata.get('acom_training'), metadata.get('training')];
  if (version === undefined || training === undefined) {
    throw new FormatError('checkpoint', `${path}: this is no checkpoint of a training run`);
  }
  if (version !== VERSION) throw new FormatError('checkpoint', `${path}: version ${version} is unknown`);
  return { tensors, standing: JSON.parse(training) as Standing };
}

function below(tensors: ReadonlyMap<string, NdArray<TypedArray>>, prefix: string): Map<string, Tensor> {
  const found = [...tensors].flatMap(([name, tensor]) =>
    name.startsWith(prefix) && isTensor(tensor) ? [[name.slice(prefix.length), tensor] as const] : [],
  );
  return new Map(found);
}

/** Reads a checkpoint into the arrays of a run. */
export async function restoreCheckpoint(
  path: string,
  numbers: RunNumbers,
  layouts: Layouts,
): Promise<Standing> {
  const { tensors, standing } = await readParts(path);
  for (const [prefix, values, layout] of partsOf(numbers, layouts)) {
    layout.fill(values, below(tensors, prefix), `${path}: ${prefix.slice(0, -1)}`);
  }
  return standing;
}

/** What a run trained. */
export interface Trained {
  /** Averages of the weights where they were kept, else the weights. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly buffers: ReadonlyMap<string, Tensor>;
  readonly standing: Standing;
}

/** Reads what a run trained from a checkpoint: for files of models. */
export async function readTrained(path: string): Promise<Trained> {
  const { tensors, standing } = await readParts(path);
  const averages = below(tensors, 'averages.');
  return {
    parameters: averages.size > 0 ? averages : below(tensors, 'weights.'),
    buffers: below(tensors, 'buffers.'),
    standing,
  };
}
