import { recording } from '../gpu/recording.js';
import { ROW, rowGrid } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import type { Activation, Glu, LeakyRelu, ScaledAdd } from './reference.js';

const SUMMARY = 'one thread for each element';

/** f(x[i]) for n numbers in a row. */
function elementwise(
  name: string,
  f: string,
  constants: Readonly<Record<string, number>>,
  [n, x, xOffset, y, yOffset]: Parameters<Activation>,
): void {
  if (n === 0) return;
  const notes = recording();
  const { value, offset } = notes.read(x, xOffset, 1, n);
  const source = `
function (x) {
  const v = x[this.constants.offset + this.thread.x];
  return ${f};
}`;
  notes.write(notes.launch(name, source, { offset, ...constants }, [n], [value]), y, yOffset, 1, n);
}

export const swishGpu = gpuVariant<Activation>(
  'swish',
  (...args) => elementwise('swish', 'v / (1 + Math.exp(-v))', {}, args),
  SUMMARY,
);

export const reluGpu = gpuVariant<Activation>(
  'relu',
  (...args) => elementwise('relu', 'Math.max(v, 0)', {}, args),
  SUMMARY,
);

export const leakyReluGpu = gpuVariant<LeakyRelu>(
  'leaky-relu',
  (n, slope, ...rest) =>
    elementwise('leaky-relu', 'v < 0 ? v * this.constants.slope : v', { slope }, [n, ...rest]),
  SUMMARY,
);

const gate = `
function (x) {
  const from = this.constants.offset + (${ROW}) * this.constants.row + this.thread.x;
  return x[from] / (1 + Math.exp(-x[from + this.constants.columns]));
}`;

export const gluGpu = gpuVariant<Glu>(
  'glu',
  (rows, columns, x, xOffset, xRow, y, yOffset, yRow) => {
    if (rows === 0 || columns === 0) return;
    const notes = recording();
    const { value, offset } = notes.read(x, xOffset, rows, 2 * columns, xRow);
    const { size, slab } = rowGrid(columns, rows);
    const result = notes.launch('glu', gate, { offset, row: xRow, columns, slab }, size, [value]);
    notes.write(result, y, yOffset, rows, columns, yRow);
  },
  SUMMARY,
);

const add = `
function (x, z) {
  return x[this.constants.xOffset + this.thread.x] + this.constants.scale * z[this.constants.zOffset + this.thread.x];
}`;

export const scaledAddGpu = gpuVariant<ScaledAdd>(
  'scaled-add',
  (n, x, xOffset, scale, z, zOffset, y, yOffset) => {
    if (n === 0) return;
    const notes = recording();
    const [left, right] = [notes.read(x, xOffset, 1, n), notes.read(z, zOffset, 1, n)];
    const constants = { scale, xOffset: left.offset, zOffset: right.offset };
    const sum = notes.launch('scaled-add', add, constants, [n], [left.value, right.value]);
    notes.write(sum, y, yOffset, 1, n);
  },
  SUMMARY,
);
