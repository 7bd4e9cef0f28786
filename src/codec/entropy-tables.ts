import type { TensorData } from '../checkpoints/safetensors-writer.js';
import { frequenciesFromCounts } from '../entropy/frequency-table.js';

/** Entropy tables as model files have them, int32 [stages, codewords + 1], from how often each stage used each codeword. */
export function entropyTables(counts: readonly ArrayLike<number>[]): TensorData {
  const codewords = counts[0]?.length ?? 0;
  const data = new Int32Array(counts.length * (codewords + 1));
  counts.forEach((stage, s) => {
    data.set(frequenciesFromCounts(stage), s * (codewords + 1));
  });
  return { data, shape: [counts.length, codewords + 1] };
}
