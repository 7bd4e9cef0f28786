import { recording } from '../gpu/recording.js';
import { chunkedSum, chunksOf, ROW, rowGrid } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { NearestCodewordKernel } from './reference.js';

/** |r - C[s, v]|² of every vector and codeword. float32: of codewords that are almost as near, the other may win. */
const distances = `
function (residual, codebooks) {
  const n = ${ROW};
  const from = this.constants.offset + n * this.constants.row;
  const word = this.constants.book + this.thread.x * this.constants.width;
  let sum = 0;
  ${chunkedSum('sum', (p) => `(residual[from + ${p}] - codebooks[word + ${p}]) * (residual[from + ${p}] - codebooks[word + ${p}])`)}
  return sum;
}`;

/** The first index of the smallest distance, and before it those of the stages so far: [vectors, stage + 1]. */
const indices = (first: boolean) => `
function (distances${first ? '' : ', before'}) {
  const n = ${ROW};
  let best = 0;
  let smallest = 3.4e38;
  for (let v = 0; v < this.constants.codewords; v++) {
    const distance = distances[n * this.constants.codewords + v];
    if (distance < smallest) {
      smallest = distance;
      best = v;
    }
  }
  ${first ? '' : 'if (this.thread.x < this.constants.stage) { best = before[n * this.constants.stage + this.thread.x]; }'}
  return best;
}`;

const subtract = `
function (residual, codebooks, indices) {
  const n = ${ROW};
  const index = indices[n * (this.constants.stage + 1) + this.constants.stage];
  const word = this.constants.book + index * this.constants.width;
  return residual[this.constants.offset + n * this.constants.row + this.thread.x] - codebooks[word + this.thread.x];
}`;

/** All stages on the device: the residual never leaves it, and one array of indices does. */
export const nearestCodewordGpu = gpuVariant<NearestCodewordKernel>(
  'nearest-codeword',
  {
    pack(stages, codewords, width, codebooks, offset) {
      const data = codebooks.slice(offset, offset + stages * codewords * width);
      return { stages, codewords, width, data, offset: 0 };
    },
    encode(count, stages, packed, residual, residualOffset, residualRow, result, resultOffset, resultRow) {
      if (count === 0 || stages === 0) return;
      const { codewords, width } = packed;
      const notes = recording();
      const codebooks = notes.constant(packed.data).value;
      let left = notes.read(residual, residualOffset, count, width, residualRow);
      let row = residualRow;
      let found = -1;
      const { slab } = rowGrid(1, count);
      for (let stage = 0; stage < stages; stage++) {
        const place = { slab, offset: left.offset, row, width, book: stage * codewords * width };
        const far = notes.launch(
          'nearest-codeword distances',
          distances,
          { ...place, ...chunksOf(width) },
          rowGrid(codewords, count).size,
          [left.value, codebooks],
        );
        found = notes.launch(
          'nearest-codeword indices',
          indices(stage === 0),
          { slab, codewords, stage },
          rowGrid(stage + 1, count).size,
          stage === 0 ? [far] : [far, found],
        );
        const value = notes.launch(
          'nearest-codeword residual',
          subtract,
          { ...place, stage },
          rowGrid(width, count).size,
          [left.value, codebooks, found],
        );
        left = { value, offset: 0 };
        row = width;
      }
      notes.write(left.value, residual, residualOffset, count, width, residualRow);
      notes.write(found, result, resultOffset, count, stages, resultRow);
    },
  },
  'all distances at once, then the smallest, then the residual; K stages without a readback',
);
