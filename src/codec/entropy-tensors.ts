/** What codewords are coded by, as tensors of model files. */
import type { TensorData } from '../checkpoints/safetensors-writer.js';
import { type ContextTables, contextShapes } from '../entropy/context-tables.js';
import { frequenciesFromCounts } from '../entropy/frequency-table.js';
import type { StateDict } from '../nn/parameters.js';
import { ModelError } from '../tensor/index.js';
import { CONTEXT, dataOf } from './model-file.js';

/** Order-0 tables, int32 [stages, codewords + 1], from how often each stage used each codeword. */
export function entropyTables(counts: readonly ArrayLike<number>[]): TensorData {
  const codewords = counts[0]?.length ?? 0;
  const data = new Int32Array(counts.length * (codewords + 1));
  counts.forEach((stage, s) => {
    data.set(frequenciesFromCounts(stage), s * (codewords + 1));
  });
  return { data, shape: [counts.length, codewords + 1] };
}

const TABLES = ['leaves', 'biases', 'nodes', 'previous', 'second', 'earlier'] as const;

/** Tables of contexts by the names of model files. */
export function contextTensors(tables: ContextTables): Map<string, TensorData> {
  const shapes = contextShapes(tables.stages, tables.codewords, tables.dimensions);
  return new Map(TABLES.map((name) => [`${CONTEXT}.${name}`, { data: tables[name], shape: shapes[name] }]));
}

/** Tables of contexts from a model's tensors; null where it has none. Throws ModelError where some are missing or misshapen. */
export function contextTablesOf(tensors: StateDict, stages: number, codewords: number): ContextTables | null {
  const names = TABLES.map((name) => `${CONTEXT}.${name}`);
  if (!names.some((name) => tensors.has(name))) return null;
  const dimensions = tensors.get(`${CONTEXT}.nodes`)?.shape[2] ?? 0;
  const shapes = contextShapes(stages, codewords, dimensions);
  const data = <D extends Int8Array | Int16Array>(name: (typeof TABLES)[number], type: new () => D): D => {
    const tensor = tensors.get(`${CONTEXT}.${name}`);
    const expected = shapes[name].join(', ');
    if (!(tensor?.data instanceof type) || tensor.shape.join(', ') !== expected) {
      throw new ModelError(
        `codec model: ${CONTEXT}.${name} must be ${type.name.replace('Array', '').toLowerCase()} [${expected}]`,
      );
    }
    const { data: values } = dataOf(tensor);
    return values as D;
  };
  return {
    stages,
    codewords,
    dimensions,
    leaves: data('leaves', Int16Array),
    biases: data('biases', Int16Array),
    nodes: data('nodes', Int8Array),
    previous: data('previous', Int8Array),
    second: data('second', Int8Array),
    earlier: data('earlier', Int8Array),
  };
}
