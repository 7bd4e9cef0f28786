import { type Pool2dGeometry, pool2dOutputSize } from '../../average-pool2d/reference.js';
import type { KernelSpec } from '../../spec.js';
import { maxPool2dSizes, maxPool2dSpec, windowsOf } from '../spec.js';
import type { MaxPool2dBackward } from './reference.js';
import { maxPool2dBackwardVariants } from './variants.js';

const operands = (g: Pool2dGeometry) => {
  const out = pool2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    x: {
      role: 'input',
      rows: g.height * g.width,
      columns: g.channels,
      ...dense,
      // Small integers, so that windows hold equal numbers
      fill: (random: () => number) => Math.floor(5 * random()),
    },
    dy: { role: 'input', rows: out.height * out.width, columns: g.channels, ...dense },
    dx: { role: 'output', rows: g.height * g.width, columns: g.channels, ...dense },
  } as const;
};

export const maxPool2dBackwardSpec: KernelSpec<
  Pool2dGeometry,
  ReturnType<typeof operands>,
  MaxPool2dBackward
> = {
  name: 'max-pool2d-backward',
  formula: 'dX[i,j,c] = Σ dY[y,x,c] over the windows (y,x) whose first largest number is X[i,j,c]',
  shapes: 'X and dX [H, W, C], dY [⌊(H−h)/sₕ⌋+1, ⌊(W−w)/s_w⌋+1, C]',
  source: 'derivative of max-pool2d, PyTorch’s choice among equals',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: maxPool2dSizes,
  workloads: maxPool2dSpec.workloads,
  cost: (g) => {
    const { operations, bytes } = maxPool2dSpec.cost(g);
    return { operations, bytes: bytes + 4 * g.height * g.width * g.channels };
  },
  operands,
  bind:
    (kernel, g, { x, dy, dx }) =>
    () =>
      kernel(g, x.data, x.offset, dy.data, dy.offset, dx.data, dx.offset),
  exact(g, { x, dy }) {
    const dx = new Float64Array(g.height * g.width * g.channels);
    windowsOf(g, x).forEach((window, i) => {
      const largest = Math.max(...window.map(({ value }) => value));
      const first = window.find(({ value }) => Object.is(value, largest));
      if (first) dx[first.at] += dy.data[dy.offset + i];
    });
    return { dx };
  },
  variants: maxPool2dBackwardVariants,
};
