import { recording } from '../gpu/recording.js';
import { ROW, rowGrid } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { FramePooling } from './reference.js';

const source = `
function (x) {
  const first = (${ROW}) * this.constants.pooling;
  let sum = 0;
  for (let i = 0; i < this.constants.pooling; i++) {
    const t = Math.min(first + i, this.constants.last);
    sum += x[this.constants.offset + t * this.constants.row + this.thread.x];
  }
  return sum / this.constants.pooling;
}`;

const pool: FramePooling = (frames, width, pooling, groups, x, xOffset, xRowStride, y, yOffset) => {
  if (frames === 0 || width === 0) return;
  const notes = recording();
  const { value, offset } = notes.read(x, xOffset, frames, width, xRowStride);
  const { size, slab } = rowGrid(width, groups);
  const constants = { slab, pooling, last: frames - 1, offset, row: xRowStride };
  notes.write(notes.launch('frame-pooling', source, constants, size, [value]), y, yOffset, groups, width);
};

export const framePoolingGpu = gpuVariant('frame-pooling', pool, 'one thread for each mean');
