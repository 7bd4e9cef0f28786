import { recording } from '../gpu/recording.js';
import { ROW, rowGrid } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { BatchNorm } from './reference.js';

const source = `
function (x, scale, shift) {
  const from = this.constants.offset + (${ROW}) * this.constants.row;
  return x[from + this.thread.x] * scale[this.thread.x] + shift[this.thread.x];
}`;

/** Scale and shift of each channel are made on the CPU, in float64, when the launch is noted. */
const normalise: BatchNorm = (
  rows,
  channels,
  epsilon,
  x,
  xOffset,
  xRow,
  mean,
  meanOffset,
  variance,
  varianceOffset,
  weight,
  weightOffset,
  bias,
  biasOffset,
  y,
  yOffset,
  yRow,
) => {
  if (rows === 0 || channels === 0) return;
  const notes = recording();
  const [scale, shift] = [new Float32Array(channels), new Float32Array(channels)];
  for (let c = 0; c < channels; c++) {
    const factor = weight[weightOffset + c] / Math.sqrt(variance[varianceOffset + c] + epsilon);
    scale[c] = factor;
    shift[c] = bias[biasOffset + c] - mean[meanOffset + c] * factor;
  }
  const { value, offset } = notes.read(x, xOffset, rows, channels, xRow);
  const { size, slab } = rowGrid(channels, rows);
  const result = notes.launch('batch-norm', source, { offset, row: xRow, slab }, size, [
    value,
    notes.constant(scale).value,
    notes.constant(shift).value,
  ]);
  notes.write(result, y, yOffset, rows, channels, yRow);
};

export const batchNormGpu = gpuVariant(
  'batch-norm',
  normalise,
  'scale and shift from the CPU, one thread for each element',
);
