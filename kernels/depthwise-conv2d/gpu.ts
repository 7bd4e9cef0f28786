import type { Conv2dActivation } from '../conv2d/reference.js';
import { recording } from '../gpu/recording.js';
import { valuesOf } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import { type DepthwiseConv2dKernel, depthwiseConv2dOutputSize } from './reference.js';

const source = (activation: Conv2dActivation, bias: boolean) => `
function (x, filters${bias ? ', bias' : ''}) {
  const top = this.thread.z * this.constants.strideHeight - this.constants.padTop;
  const left = this.thread.y * this.constants.strideWidth - this.constants.padLeft;
  let sum = ${bias ? 'bias[this.constants.biasOffset + this.thread.x]' : '0'};
  for (let r = 0; r < this.constants.kernelHeight; r++) {
    const row = top + r;
    for (let s = 0; s < this.constants.kernelWidth; s++) {
      const column = left + s;
      if (row >= 0 && row < this.constants.height && column >= 0 && column < this.constants.width) {
        const tap = (this.thread.x * this.constants.kernelHeight + r) * this.constants.kernelWidth + s;
        const from = this.constants.xOffset + (row * this.constants.width + column) * this.constants.channels;
        sum += x[from + this.thread.x] * filters[tap];
      }
    }
  }
  return ${activation === 'relu' ? 'Math.max(sum, 0)' : 'sum'};
}`;

export const depthwiseConv2dGpu = gpuVariant<DepthwiseConv2dKernel>(
  'depthwise-conv2d',
  {
    pack({ channels, kernelHeight, kernelWidth }, weight, offset) {
      return { data: weight.slice(offset, offset + channels * kernelHeight * kernelWidth), offset: 0 };
    },
    convolve(g, x, xOffset, filters, bias, biasOffset, activation, y, yOffset) {
      const { height, width, channels, kernelHeight, kernelWidth } = g;
      const { strideHeight, strideWidth, padTop, padLeft } = g;
      const out = depthwiseConv2dOutputSize(g);
      const notes = recording();
      const image = notes.read(x, xOffset, 1, height * width * channels);
      const addend = bias ? notes.read(bias, biasOffset, 1, channels) : null;
      const sum = notes.launch(
        'depthwise-conv2d',
        source(activation, addend !== null),
        {
          ...{
            height,
            width,
            channels,
            kernelHeight,
            kernelWidth,
            strideHeight,
            strideWidth,
            padTop,
            padLeft,
          },
          xOffset: image.offset,
          biasOffset: addend?.offset ?? 0,
        },
        [channels, out.width, out.height],
        [image.value, notes.constant(filters.data).value, ...valuesOf(addend)],
      );
      notes.write(sum, y, yOffset, 1, out.height * out.width * channels);
    },
  },
  'one thread for each output',
);
