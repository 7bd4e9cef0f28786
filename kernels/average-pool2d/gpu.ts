import { recording } from '../gpu/recording.js';
import { gpuVariant } from '../gpu/variant.js';
import { type AveragePool2d, pool2dOutputSize } from './reference.js';

const source = `
function (x) {
  const top = this.thread.z * this.constants.strideHeight;
  const left = this.thread.y * this.constants.strideWidth;
  let sum = 0;
  for (let r = 0; r < this.constants.windowHeight; r++) {
    const from = this.constants.offset + ((top + r) * this.constants.width + left) * this.constants.channels + this.thread.x;
    for (let s = 0; s < this.constants.windowWidth; s++) {
      sum += x[from + s * this.constants.channels];
    }
  }
  return sum / this.constants.count;
}`;

const pool: AveragePool2d = (g, x, xOffset, y, yOffset) => {
  const { width, channels, windowHeight, windowWidth, strideHeight, strideWidth } = g;
  const out = pool2dOutputSize(g);
  const notes = recording();
  const { value, offset } = notes.read(x, xOffset, 1, g.height * width * channels);
  const count = windowHeight * windowWidth;
  const result = notes.launch(
    'average-pool2d',
    source,
    { offset, width, channels, windowHeight, windowWidth, strideHeight, strideWidth, count },
    [channels, out.width, out.height],
    [value],
  );
  notes.write(result, y, yOffset, 1, out.height * out.width * channels);
};

export const averagePool2dGpu = gpuVariant('average-pool2d', pool, 'one thread for each average');
