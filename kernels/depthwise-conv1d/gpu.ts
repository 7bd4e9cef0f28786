import { recording } from '../gpu/recording.js';
import { ROW, rowGrid, valuesOf } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { DepthwiseConv1dKernel } from './reference.js';

/** One thread computes Y[t, c]: neighbours along x read neighbouring channels of a frame. */
const source = (bias: boolean) => `
function (x, filters${bias ? ', bias' : ''}) {
  const t = ${ROW};
  let sum = ${bias ? 'bias[this.constants.biasOffset + this.thread.x]' : '0'};
  for (let i = 0; i < this.constants.taps; i++) {
    const at = t + i - this.constants.half;
    if (at >= 0 && at < this.constants.frames) {
      sum += x[this.constants.xOffset + at * this.constants.xRow + this.thread.x] * filters[this.thread.x * this.constants.taps + i];
    }
  }
  return sum;
}`;

export const depthwiseConv1dGpu = gpuVariant<DepthwiseConv1dKernel>(
  'depthwise-conv1d',
  {
    pack(channels, taps, weight, offset, rowStride) {
      const data = new Float32Array(channels * taps);
      for (let c = 0; c < channels; c++) {
        const from = offset + c * rowStride;
        data.set(weight.subarray(from, from + taps), c * taps);
      }
      return { channels, taps, data, offset: 0, rowStride: taps };
    },
    convolve(frames, x, xOffset, xRow, filters, bias, biasOffset, y, yOffset, yRow) {
      if (frames === 0) return;
      const { channels, taps } = filters;
      const notes = recording();
      const input = notes.read(x, xOffset, frames, channels, xRow);
      const addend = bias ? notes.read(bias, biasOffset, 1, channels) : null;
      const { size, slab } = rowGrid(channels, frames);
      const sum = notes.launch(
        'depthwise-conv1d',
        source(addend !== null),
        {
          slab,
          frames,
          taps,
          half: (taps - 1) / 2,
          xOffset: input.offset,
          xRow,
          biasOffset: addend?.offset ?? 0,
        },
        size,
        [input.value, notes.constant(filters.data).value, ...valuesOf(addend)],
      );
      notes.write(sum, y, yOffset, frames, channels, yRow);
    },
  },
  'one thread for each output',
);
