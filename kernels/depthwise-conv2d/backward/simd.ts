/**
 * Gradients of a depthwise convolution of an image with WebAssembly SIMD. Four channels at a time are copied to scratch,
 * X and dX with the zeros around them, so that pixels lie 16 bytes apart and borders are like the middle. A row of the
 * filter, up to three taps of it, then walks over the image once for both gradients: each dY that is loaded meets the
 * pixels that the taps saw, for sums of dW in registers, and the taps, for dX where they lie.
 */
import type { FunctionReference, ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, i32 } from '../../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../../wasm/operands.js';
import { storeLanes, VECTOR } from '../../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../../wasm/runtime.js';
import { depthwiseConv2dOutputSize } from '../reference.js';
import type { DepthwiseConv2dBackward } from './reference.js';

const LANES = 4;
/** Most taps of a row of the filter whose sums are in registers. */
const TAPS = 3;

const TILE_PARAMETERS = {
  rows: 'i32',
  columns: 'i32',
  /** [rows][columns][4] without gaps. */
  dy: 'i32',
  /** What the first tap sees, in scratch; the same place of dX; bytes from one window to the next. */
  x: 'i32',
  dx: 'i32',
  rowBytes: 'i32',
  stepBytes: 'i32',
  /** [taps][4] */
  w: 'i32',
  dw: 'i32',
} as const;

/** Adds `depthwise2dGradient<taps>`: dW of so many taps beside one another, and what they add to dX. */
function defineTile(module: ModuleBuilder, { madd }: Arithmetic, taps: number): FunctionReference {
  return module.function(`depthwise2dGradient${taps}`, TILE_PARAMETERS, (f, p) => {
    const places = Array.from({ length: taps }, (_, s) => VECTOR * s);
    const weights = places.map((at) => f.local(f32x4.load(p.w, at)));
    const sums = places.map((at) => f.local(f32x4.load(p.dw, at)));
    const [x, dx, left] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
    const cotangent = f.declare('v128');
    f.while(i32.gtS(p.rows, i32.const(0)), () => {
      f.set(x, p.x);
      f.set(dx, p.dx);
      f.set(left, p.columns);
      f.while(i32.gtS(left, i32.const(0)), () => {
        f.set(cotangent, f32x4.load(p.dy));
        places.forEach((at, s) => {
          f.set(sums[s]!, madd(cotangent, f32x4.load(x, at), sums[s]!));
          f.store(dx, madd(cotangent, weights[s]!, f32x4.load(dx, at)), at);
        });
        f.increase(p.dy, VECTOR);
        f.increase(x, p.stepBytes);
        f.increase(dx, p.stepBytes);
        f.increase(left, -1);
      });
      f.increase(p.x, p.rowBytes);
      f.increase(p.dx, p.rowBytes);
      f.increase(p.rows, -1);
    });
    places.forEach((at, s) => {
      f.store(p.dw, sums[s]!, at);
    });
  });
}

const COPY_PARAMETERS = {
  rows: 'i32',
  columns: 'i32',
  from: 'i32',
  fromRowBytes: 'i32',
  fromPixelBytes: 'i32',
  to: 'i32',
  toRowBytes: 'i32',
  toPixelBytes: 'i32',
  channels: 'i32',
} as const;

/** Adds `depthwise2dCopy`: pixels [rows, columns] of up to four channels from one place to another. */
function defineCopy(module: ModuleBuilder): void {
  module.function('depthwise2dCopy', COPY_PARAMETERS, (f, p) => {
    const [from, to, left] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
    const pixel = f.declare('v128');
    f.while(i32.gtS(p.rows, i32.const(0)), () => {
      f.set(from, p.from);
      f.set(to, p.to);
      f.set(left, p.columns);
      f.while(i32.gtS(left, i32.const(0)), () => {
        f.set(pixel, f32x4.load(from));
        f.if(
          i32.geS(p.channels, i32.const(LANES)),
          () => f.store(to, pixel),
          () => storeLanes(f, to, pixel, p.channels),
        );
        f.increase(from, p.fromPixelBytes);
        f.increase(to, p.toPixelBytes);
        f.increase(left, -1);
      });
      f.increase(p.from, p.fromRowBytes);
      f.increase(p.to, p.toRowBytes);
      f.increase(p.rows, -1);
    });
  });
}

export function defineDepthwiseConv2dBackward(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineCopy(module);
  for (let taps = 1; taps <= TAPS; taps++) defineTile(module, arithmetic, taps);
}

type Tile = (
  rows: number,
  columns: number,
  dy: number,
  x: number,
  dx: number,
  rowBytes: number,
  stepBytes: number,
  w: number,
  dw: number,
) => void;

export interface DepthwiseConv2dBackwardExports {
  depthwise2dCopy(
    rows: number,
    columns: number,
    from: number,
    fromRowBytes: number,
    fromPixelBytes: number,
    to: number,
    toRowBytes: number,
    toPixelBytes: number,
    channels: number,
  ): void;
  depthwise2dGradient1: Tile;
  depthwise2dGradient2: Tile;
  depthwise2dGradient3: Tile;
}

export const depthwiseConv2dBackwardSimd: SimdKernel<
  DepthwiseConv2dBackward,
  DepthwiseConv2dBackwardExports
> = {
  name: 'depthwise-conv2d-backward',
  summary: 'both gradients in one walk: up to 3 taps x 4 channels of dW in registers, dX where it lies',
  define: defineDepthwiseConv2dBackward,
  bind: (exports, memory) => {
    const tiles = [exports.depthwise2dGradient1, exports.depthwise2dGradient2, exports.depthwise2dGradient3];
    return (g, x, xOffset, weight, weightOffset, dy, dyOffset, dx, dxOffset, dw, dwOffset) => {
      const { height, width, channels, kernelHeight, kernelWidth } = g;
      const out = depthwiseConv2dOutputSize(g);
      const [pixels, outPixels, taps] = [height * width, out.height * out.width, kernelHeight * kernelWidth];
      const mark = memory.mark();
      try {
        const from = placeInput(memory, x, xOffset, 1, pixels * channels, pixels * channels).pointer;
        const cotangent = placeInput(memory, dy, dyOffset, 1, outPixels * channels, outPixels * channels);
        const to = placeOutput(memory, dx, dxOffset, 1, pixels * channels, pixels * channels);
        // What windows see, and the part of the image in it.
        const seenRows = (out.height - 1) * g.strideHeight + kernelHeight;
        const seenColumns = (out.width - 1) * g.strideWidth + kernelWidth;
        const rows = Math.max(0, Math.min(height, seenRows - g.padTop));
        const columns = Math.max(0, Math.min(width, seenColumns - g.padLeft));
        const rowBytes = VECTOR * seenColumns;
        const inside = g.padTop * rowBytes + VECTOR * g.padLeft;
        const image = memory.pushFloats(LANES * seenRows * seenColumns).fill(0);
        const gradient = memory.pushFloats(LANES * seenRows * seenColumns);
        const cotangents = memory.push(VECTOR * outPixels);
        const filters = memory.pushFloats(LANES * taps);
        const sums = memory.pushFloats(LANES * taps);
        if (rows < height || columns < width) {
          new Float32Array(memory.buffer, to.pointer, pixels * channels).fill(0);
        }
        for (let c = 0; c < channels; c += LANES) {
          const some = Math.min(LANES, channels - c);
          const [pixelBytes, imageRowBytes] = [4 * channels, 4 * channels * width];
          exports.depthwise2dCopy(
            rows,
            columns,
            from + 4 * c,
            imageRowBytes,
            pixelBytes,
            image.byteOffset + inside,
            rowBytes,
            VECTOR,
            LANES,
          );
          exports.depthwise2dCopy(
            1,
            outPixels,
            cotangent.pointer + 4 * c,
            0,
            pixelBytes,
            cotangents,
            0,
            VECTOR,
            LANES,
          );
          gradient.fill(0);
          sums.fill(0);
          for (let lane = 0; lane < some; lane++) {
            const tap = weightOffset + (c + lane) * taps;
            for (let i = 0; i < taps; i++) filters[i * LANES + lane] = weight[tap + i];
          }
          for (let r = 0; r < kernelHeight; r++) {
            for (let s = 0; s < kernelWidth; s += TAPS) {
              const seen = r * rowBytes + VECTOR * s;
              const at = VECTOR * (r * kernelWidth + s);
              tiles[Math.min(TAPS, kernelWidth - s) - 1]!(
                out.height,
                out.width,
                cotangents,
                image.byteOffset + seen,
                gradient.byteOffset + seen,
                g.strideHeight * rowBytes,
                g.strideWidth * VECTOR,
                filters.byteOffset + at,
                sums.byteOffset + at,
              );
            }
          }
          exports.depthwise2dCopy(
            rows,
            columns,
            gradient.byteOffset + inside,
            rowBytes,
            VECTOR,
            to.pointer + 4 * c,
            imageRowBytes,
            pixelBytes,
            some,
          );
          for (let lane = 0; lane < some; lane++) {
            const tap = dwOffset + (c + lane) * taps;
            for (let i = 0; i < taps; i++) dw[tap + i] = sums[i * LANES + lane];
          }
        }
        returnOutput(memory, to, dx, dxOffset, 1, pixels * channels, pixels * channels);
      } finally {
        memory.pop(mark);
      }
    };
  },
};
