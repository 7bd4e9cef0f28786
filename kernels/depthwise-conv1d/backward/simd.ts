/**
 * The gradient of depthwise taps with WebAssembly SIMD. It is a convolution again, in which dY stands for the taps and
 * the taps for the frames: eight of dW stay in registers while four frames of dY meet the eleven of X that they see. So
 * the window and the slabs are those of the convolution itself (../window.ts).
 */
import type { ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, i32 } from '../../wasm/expression.js';
import { placeInput } from '../../wasm/operands.js';
import type { Arithmetic, SimdKernel } from '../../wasm/runtime.js';
import { defineGather, type GatherChannels, LANES, SLAB, slideTaps, TAPS, VECTOR } from '../window.js';
import type { DepthwiseConv1dBackward } from './reference.js';

/** Taps of dW that are summed in registers. */
const SUMS = 8;

export function defineDepthwiseConv1dBackward(module: ModuleBuilder, { madd }: Arithmetic): void {
  defineGather(module, 'depthwiseGradientGather');
  // dw [sums, 4] += Σ_t dy[t] x[t + i], of scratch dy [frames][4] and x [frames + sums - 1][4]
  const tile = module.function(
    'depthwiseGradientTile',
    { frames: 'i32', x: 'i32', dy: 'i32', dw: 'i32', zero: 'i32' },
    (f, { frames, x, dy, dw, zero }) => {
      const sums = Array.from({ length: SUMS }, (_, i) => f.local(f32x4.load(dw, VECTOR * i)));
      slideTaps(f, madd, sums, { x, w: dy, taps: frames, zero }, TAPS);
      sums.forEach((sum, i) => {
        f.store(dw, sum, VECTOR * i);
      });
    },
    false,
  );
  module.function(
    'depthwiseGradient',
    { frames: 'i32', taps: 'i32', x: 'i32', dy: 'i32', dw: 'i32', zero: 'i32' },
    (f, { frames, taps, x, dy, dw, zero }) => {
      f.while(i32.gtS(taps, i32.const(0)), () => {
        f.call(tile, frames, x, dy, dw, zero);
        f.increase(x, VECTOR * SUMS);
        f.increase(dw, VECTOR * SUMS);
        f.increase(taps, -SUMS);
      });
    },
  );
}

export interface DepthwiseConv1dBackwardExports {
  depthwiseGradientGather: GatherChannels;
  /** dW of four channels; `taps` is a multiple of 8. */
  depthwiseGradient(frames: number, taps: number, x: number, dy: number, dw: number, zero: number): void;
}

export const depthwiseConv1dBackwardSimd: SimdKernel<
  DepthwiseConv1dBackward,
  DepthwiseConv1dBackwardExports
> = {
  name: 'depthwise-conv1d-backward',
  summary: 'tiles of 8 taps x 4 channels, four frames of dY in registers, slabs of 16 channels',
  define: defineDepthwiseConv1dBackward,
  bind:
    (exports, memory) =>
    (
      lengths,
      channels,
      taps,
      x,
      xOffset,
      xRowStride,
      dy,
      dyOffset,
      dyRowStride,
      dw,
      dwOffset,
      dwRowStride,
    ) => {
      const mark = memory.mark();
      try {
        const all = lengths.reduce((sum, frames) => sum + frames, 0);
        const from = placeInput(memory, x, xOffset, all, channels, xRowStride);
        const cotangent = placeInput(memory, dy, dyOffset, all, channels, dyRowStride);
        const halo = (taps - 1) >> 1;
        const summed = Math.ceil(taps / SUMS) * SUMS;
        const groups = Math.ceil(channels / LANES);
        const sums = memory.pushFloats(groups * summed * LANES).fill(0);
        const longest = Math.max(0, ...lengths);
        const [xRows, dyRows] = [longest + summed, longest];
        const slab = memory.pushFloats(SLAB * xRows);
        const dySlab = memory.push(4 * SLAB * dyRows);
        let start = 0;
        for (const frames of lengths) {
          slab.fill(0);
          for (let c = 0; c < channels; c += SLAB) {
            const some = Math.ceil(Math.min(SLAB, channels - c) / LANES);
            exports.depthwiseGradientGather(
              frames,
              some,
              from.pointer + start * from.rowBytes + 4 * c,
              from.rowBytes,
              slab.byteOffset + VECTOR * halo,
              VECTOR * xRows,
            );
            exports.depthwiseGradientGather(
              frames,
              some,
              cotangent.pointer + start * cotangent.rowBytes + 4 * c,
              cotangent.rowBytes,
              dySlab,
              VECTOR * dyRows,
            );
            for (let g = 0; g < some; g++) {
              exports.depthwiseGradient(
                frames,
                summed,
                slab.byteOffset + g * VECTOR * xRows,
                dySlab + g * VECTOR * dyRows,
                sums.byteOffset + (c / LANES + g) * VECTOR * summed,
                0,
              );
            }
          }
          start += frames;
        }
        for (let c = 0; c < channels; c++) {
          const first = (c - (c % LANES)) * summed + (c % LANES);
          const to = dwOffset + c * dwRowStride;
          for (let i = 0; i < taps; i++) dw[to + i] = sums[first + i * LANES];
        }
      } finally {
        memory.pop(mark);
      }
    },
};
