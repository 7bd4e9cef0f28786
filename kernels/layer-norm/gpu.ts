import { recording } from '../gpu/recording.js';
import { chunkedSum, chunksOf, ROW, rowGrid } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { LayerNorm } from './reference.js';

/**
 * Two numbers for each row: thread 0 its mean, less its first element, thread 1 what centred elements are multiplied by.
 * Differences from an element of the row are small where the mean is large, so that float32 keeps their digits.
 */
const statistics = `
function (x) {
  const from = this.constants.offset + (${ROW}) * this.constants.row;
  const first = x[from];
  let sum = 0;
  ${chunkedSum('sum', (p) => `x[from + ${p}] - first`)}
  const mean = sum / this.constants.columns;
  let squares = 0;
  ${chunkedSum('squares', (p) => `(x[from + ${p}] - first - mean) * (x[from + ${p}] - first - mean)`)}
  const deviation = Math.sqrt(squares / this.constants.columns + this.constants.epsilon);
  return this.thread.x < 1 ? mean : 1 / deviation;
}`;

const elements = `
function (x, statistics, weight, bias) {
  const i = ${ROW};
  const from = this.constants.offset + i * this.constants.row;
  const centred = x[from + this.thread.x] - x[from] - statistics[2 * i];
  const scaled = centred * statistics[2 * i + 1];
  return scaled * weight[this.constants.weightOffset + this.thread.x] + bias[this.constants.biasOffset + this.thread.x];
}`;

const normalise: LayerNorm = (
  rows,
  columns,
  epsilon,
  x,
  xOffset,
  xRow,
  weight,
  weightOffset,
  bias,
  biasOffset,
  y,
  yOffset,
  yRow,
) => {
  if (rows === 0 || columns === 0) return;
  const notes = recording();
  const { value, offset } = notes.read(x, xOffset, rows, columns, xRow);
  const [gain, shift] = [
    notes.read(weight, weightOffset, 1, columns),
    notes.read(bias, biasOffset, 1, columns),
  ];
  const { size, slab } = rowGrid(columns, rows);
  const place = { offset, row: xRow, slab };
  const found = notes.launch(
    'layer-norm statistics',
    statistics,
    { ...place, columns, epsilon, ...chunksOf(columns) },
    rowGrid(2, rows).size,
    [value],
  );
  const result = notes.launch(
    'layer-norm',
    elements,
    { ...place, weightOffset: gain.offset, biasOffset: shift.offset },
    size,
    [value, found, gain.value, shift.value],
  );
  notes.write(result, y, yOffset, rows, columns, yRow);
};

export const layerNormGpu = gpuVariant(
  'layer-norm',
  normalise,
  'mean and deviation of each row first, then one thread for each element',
);
