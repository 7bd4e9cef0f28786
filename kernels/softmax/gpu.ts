import { recording } from '../gpu/recording.js';
import { ROW, rowGrid } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { Softmax } from './reference.js';

/** Two numbers for each row, computed once: thread 0 its largest element, thread 1 the sum of exponentials below it. */
const statistics = `
function (x) {
  const from = this.constants.offset + (${ROW}) * this.constants.row;
  let largest = -3.4e38;
  for (let c = 0; c < this.constants.columns; c++) {
    largest = Math.max(largest, x[from + c]);
  }
  let total = 0;
  for (let d = 0; d < this.constants.columns; d++) {
    total += Math.exp(x[from + d] - largest);
  }
  return this.thread.x < 1 ? largest : total;
}`;

/** Then each thread one element. */
const elements = (result: string) => `
function (x, statistics) {
  const i = ${ROW};
  const below = x[this.constants.offset + i * this.constants.row + this.thread.x] - statistics[2 * i];
  const total = statistics[2 * i + 1];
  return ${result};
}`;

const rowwise =
  (name: string, result: string): Softmax =>
  (rows, columns, x, xOffset, xRow, y, yOffset, yRow) => {
    if (rows === 0 || columns === 0) return;
    const notes = recording();
    const { value, offset } = notes.read(x, xOffset, rows, columns, xRow);
    const { slab } = rowGrid(columns, rows);
    const constants = { offset, row: xRow, columns, slab };
    const found = notes.launch(`${name} statistics`, statistics, constants, rowGrid(2, rows).size, [value]);
    const { size } = rowGrid(columns, rows);
    const y2 = notes.launch(name, elements(result), constants, size, [value, found]);
    notes.write(y2, y, yOffset, rows, columns, yRow);
  };

const summary = 'largest and sum of each row first, then one thread for each element';

export const softmaxGpu = gpuVariant('softmax', rowwise('softmax', 'Math.exp(below) / total'), summary);
export const logSoftmaxGpu = gpuVariant(
  'log-softmax',
  rowwise('log-softmax', 'below - Math.log(total)'),
  summary,
);
