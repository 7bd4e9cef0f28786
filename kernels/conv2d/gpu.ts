import { recording } from '../gpu/recording.js';
import { valuesOf } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import {
  type Conv2dActivation,
  type Conv2dKernel,
  conv2dOutputSize,
  conv2dReference,
  reflectIndex,
} from './reference.js';

/**
 * One thread computes Y[y, x, o] alone. Which row and column of the image a tap sees is looked up in two small tables, so
 * that zeros and mirrors cost the same and no thread divides: -1 stands for a zero. One sum for each tap keeps the digits.
 */
const source = (activation: Conv2dActivation, bias: boolean) => `
function (x, filters, rowOf, columnOf${bias ? ', bias' : ''}) {
  let sum = 0;
  for (let r = 0; r < this.constants.kernelHeight; r++) {
    const row = rowOf[this.thread.z * this.constants.kernelHeight + r];
    for (let s = 0; s < this.constants.kernelWidth; s++) {
      const column = columnOf[this.thread.y * this.constants.kernelWidth + s];
      if (row >= 0 && column >= 0) {
        const from = this.constants.xOffset + (row * this.constants.width + column) * this.constants.inChannels;
        const tap = ((this.thread.x * this.constants.kernelHeight + r) * this.constants.kernelWidth + s) * this.constants.inChannels;
        let part = 0;
        for (let c = 0; c < this.constants.inChannels; c++) {
          part += x[from + c] * filters[tap + c];
        }
        sum += part;
      }
    }
  }
  ${bias ? 'sum += bias[this.constants.biasOffset + this.thread.x];' : ''}
  return ${activation === 'relu' ? 'Math.max(sum, 0)' : 'sum'};
}`;

/** For each position of a filter along an axis and each of its taps: the pixel that the tap sees, -1 for a zero. */
function taps(
  outputs: number,
  kernel: number,
  stride: number,
  pad: number,
  length: number,
  reflect: boolean,
) {
  const table = new Float32Array(outputs * kernel);
  for (let at = 0; at < table.length; at++) {
    const i = Math.floor(at / kernel) * stride + (at % kernel) - pad;
    const inside = i >= 0 && i < length;
    table[at] = inside ? i : reflect ? reflectIndex(i, length) : -1;
  }
  return table;
}

/** Filters lie as the reference has them, [outChannels, kernelHeight, kernelWidth, inChannels]. */
export const conv2dGpu = gpuVariant<Conv2dKernel>(
  'conv2d',
  {
    pack(geometry, from, lifetime) {
      const { data, offset } = conv2dReference.pack(geometry, from, lifetime);
      const { outChannels, kernelHeight, kernelWidth, inChannels } = geometry;
      const count = outChannels * kernelHeight * kernelWidth * inChannels;
      return { data: data.slice(offset, offset + count), offset: 0 };
    },
    convolve(g, x, xOffset, filters, bias, biasOffset, activation, y, yOffset) {
      const { height, width, inChannels, outChannels, kernelHeight, kernelWidth } = g;
      const out = conv2dOutputSize(g);
      const notes = recording();
      const reflect = g.padMode === 'reflect';
      const image = notes.read(x, xOffset, 1, height * width * inChannels);
      const addend = bias ? notes.read(bias, biasOffset, 1, outChannels) : null;
      const rows = taps(out.height, kernelHeight, g.strideHeight, g.padHeight, height, reflect);
      const columns = taps(out.width, kernelWidth, g.strideWidth, g.padWidth, width, reflect);
      const tables = [filters.data, rows, columns].map((table) => notes.constant(table).value);
      const sum = notes.launch(
        'conv2d',
        source(activation, addend !== null),
        {
          width,
          inChannels,
          kernelHeight,
          kernelWidth,
          xOffset: image.offset,
          biasOffset: addend?.offset ?? 0,
        },
        [outChannels, out.width, out.height],
        [image.value, ...tables, ...valuesOf(addend)],
      );
      notes.write(sum, y, yOffset, 1, out.height * out.width * outChannels);
    },
  },
  'one thread for each output; pixels that taps see from two tables',
);
