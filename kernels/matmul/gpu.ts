import { recording } from '../gpu/recording.js';
import { chunkedSum, chunksOf, ROW, rowGrid, valuesOf } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { MatmulActivation, MatmulKernel } from './reference.js';

const ACTIVATIONS: Readonly<Record<MatmulActivation, string>> = {
  none: 'sum',
  relu: 'Math.max(sum, 0)',
  swish: 'sum / (1 + Math.exp(-sum))',
};

/**
 * One thread computes C[y, x] alone: k multiply-adds, two loads each. On a GPU, neighbours along x read the same element of
 * A, and what is read twice comes from caches; there is no shared memory to keep tiles in, because GPU.js has none.
 */
const source = (activation: MatmulActivation, bias: boolean, accumulate: boolean) => `
function (${['a', 'b', ...(bias ? ['bias'] : []), ...(accumulate ? ['c'] : [])].join(', ')}) {
  const i = ${ROW};
  const row = this.constants.aOffset + i * this.constants.aRow;
  const word = this.thread.x * this.constants.k;
  let sum = 0;
  ${chunkedSum('sum', (p) => `a[row + ${p} * this.constants.aColumn] * b[word + ${p}]`)}
  ${bias ? 'sum += bias[this.constants.biasOffset + this.thread.x];' : ''}
  ${accumulate ? 'sum += c[this.constants.cOffset + i * this.constants.cRow + this.thread.x];' : ''}
  return ${ACTIVATIONS[activation]};
}`;

/** B is kept as [n, k]: as PyTorch stores weights, and each thread reads one row of it. */
export const matmulGpu = gpuVariant<MatmulKernel>(
  'matmul',
  {
    pack(n, k, b, offset, rowStride, columnStride) {
      const data = new Float32Array(n * k);
      for (let j = 0, at = 0; j < n; j++) {
        for (let p = 0; p < k; p++) data[at++] = b[offset + p * rowStride + j * columnStride];
      }
      return { n, k, data, offset: 0, rowStride: 1, columnStride: k };
    },
    multiply(
      m,
      a,
      aOffset,
      aRow,
      aColumn,
      packed,
      bias,
      biasOffset,
      activation,
      accumulate,
      c,
      cOffset,
      cRow,
    ) {
      const { n, k } = packed;
      if (m === 0 || n === 0) return;
      const notes = recording();
      const extent = k === 0 ? 0 : (m - 1) * aRow + (k - 1) * aColumn + 1;
      const left = notes.read(a, aOffset, 1, extent);
      const constants = { ...chunksOf(k), k, aOffset: left.offset, aRow, aColumn };
      const addend = bias ? notes.read(bias, biasOffset, 1, n) : null;
      const before = accumulate ? notes.read(c, cOffset, m, n, cRow) : null;
      const { size, slab } = rowGrid(n, m);
      const sum = notes.launch(
        'matmul',
        source(activation, addend !== null, accumulate),
        { ...constants, slab, biasOffset: addend?.offset ?? 0, cOffset: before?.offset ?? 0, cRow },
        size,
        [left.value, notes.constant(packed.data).value, ...valuesOf(addend, before)],
      );
      notes.write(sum, c, cOffset, m, n, cRow);
    },
  },
  'one thread for each element of C; sums of 16 terms',
);
