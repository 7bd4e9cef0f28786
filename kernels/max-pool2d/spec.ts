import { type Pool2dGeometry, pool2dOutputSize } from '../average-pool2d/reference.js';
import type { KernelSpec, Operand } from '../spec.js';
import type { MaxPool2d } from './reference.js';
import { maxPool2dVariants } from './variants.js';

const operands = (g: Pool2dGeometry) => {
  const out = pool2dOutputSize(g);
  const dense = { strided: false, type: 'float32' } as const;
  return {
    x: { role: 'input', rows: g.height * g.width, columns: g.channels, ...dense },
    y: { role: 'output', rows: out.height * out.width, columns: g.channels, ...dense },
  } as const;
};

const halved = (height: number, width: number, channels: number): Pool2dGeometry => ({
  height,
  width,
  channels,
  windowHeight: 2,
  windowWidth: 2,
  strideHeight: 2,
  strideWidth: 2,
});

/** Sizes of the tests of the pooling and of its gradient. */
export const maxPool2dSizes: readonly Pool2dGeometry[] = [
  ...[1, 2, 5].map((channels) => halved(5, 4, channels)),
  ...[2, 3, 7].map((size) => halved(size, 9 - size, 3)),
  { ...halved(6, 7, 2), windowHeight: 1 },
  { ...halved(7, 8, 3), windowHeight: 3, windowWidth: 4, strideHeight: 1 },
  { ...halved(5, 5, 3), strideHeight: 1, strideWidth: 3 },
];

/** Every window and channel of `x`: its numbers and where they are, row after row; for the float64 formulas. */
export function windowsOf(
  g: Pool2dGeometry,
  x: Operand,
): readonly (readonly { readonly at: number; readonly value: number }[])[] {
  const out = pool2dOutputSize(g);
  return Array.from({ length: out.height * out.width * g.channels }, (_, i) => {
    const [pixel, c] = [Math.floor(i / g.channels), i % g.channels];
    const row = Math.floor(pixel / out.width) * g.strideHeight;
    const column = (pixel % out.width) * g.strideWidth;
    return Array.from({ length: g.windowHeight * g.windowWidth }, (__, tap) => {
      const seen = (row + Math.floor(tap / g.windowWidth)) * g.width + column + (tap % g.windowWidth);
      const at = seen * g.channels + c;
      return { at, value: x.data[x.offset + at] };
    });
  });
}

export const maxPool2dSpec: KernelSpec<Pool2dGeometry, ReturnType<typeof operands>, MaxPool2d> = {
  name: 'max-pool2d',
  formula: 'Y[y,x,c] = max_{r,s} X[y·sₕ + r, x·s_w + s, c]',
  shapes: 'X [H, W, C], windows h x w, Y [⌊(H−h)/sₕ⌋+1, ⌊(W−w)/s_w⌋+1, C]; no padding',
  source: 'PyTorch max_pool2d',
  tolerance: 1e-7,
  nonFinite: true,
  sizes: maxPool2dSizes,
  workloads: [{ name: 'small image network', sizes: halved(64, 64, 16) }],
  cost(g) {
    const out = pool2dOutputSize(g);
    const results = out.height * out.width * g.channels;
    return {
      operations: results * g.windowHeight * g.windowWidth,
      bytes: 4 * (g.height * g.width * g.channels + results),
    };
  },
  operands,
  bind:
    (kernel, g, { x, y }) =>
    () =>
      kernel(g, x.data, x.offset, y.data, y.offset),
  exact: (g, { x }) => ({
    y: windowsOf(g, x).map((window) => Math.max(...window.map(({ value }) => value))),
  }),
  variants: maxPool2dVariants,
};
