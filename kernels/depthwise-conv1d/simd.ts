/**
 * Depthwise convolution along time with WebAssembly SIMD: four channels per vector, eight frames per tile.
 *
 * Each channel is filtered by itself, so there is no product to tile, only a window that slides: 8 outputs and 4 taps
 * need 11 inputs, 15 loads for 32 vector multiply-adds. The 8 sums and 4 taps stay in registers while the inputs come
 * by one after the other.
 *
 * Channels go by in slabs of 16, a cache line. A slab is first copied to scratch, [groups][halo + frames + halo][4]:
 * zeros before and behind make borders like the middle, rows 16 bytes apart need no address arithmetic, and rows of X
 * that are a power of two long (2,048 bytes for 512 channels) no longer fall into the same few sets of the cache.
 * Taps are packed [channels / 4][taps][4], with zeros for channels that are not there.
 */
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { DepthwiseConv1dKernel } from './reference.js';
import {
  defineGather,
  type GatherChannels,
  LANES,
  SLAB,
  slideTaps,
  storeFrames,
  TAPS,
  VECTOR,
} from './window.js';

/** Frames of a tile, and of the one for what is left. */
const FRAMES = 8;
const FEW_FRAMES = 4;

const TILE_PARAMETERS = {
  taps: 'i32',
  x: 'i32',
  w: 'i32',
  bias: 'i32',
  y: 'i32',
  yRowBytes: 'i32',
  frames: 'i32',
  channels: 'i32',
  zero: 'i32',
} as const;

/**
 * Adds `depthwiseTile<most>`: outputs [most, 4] from scratch x [most + taps - 1][4] and taps w [taps][4]; the first
 * `frames` rows and `channels` columns of them are written.
 */
function defineTile(module: ModuleBuilder, { madd }: Arithmetic, most: number): FunctionReference {
  return module.function(
    `depthwiseTile${most}`,
    TILE_PARAMETERS,
    (f, { taps, x, w, bias, y, yRowBytes, frames, channels, zero }) => {
      const start = f.local(f32x4.load(bias));
      const sums = Array.from({ length: most }, () => f.local(start));
      slideTaps(f, madd, sums, { x, w, taps, zero }, TAPS);
      storeFrames(f, sums, y, yRowBytes, frames, channels);
    },
    false,
  );
}

export function defineDepthwiseConv1d(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineGather(module, 'depthwiseGather');
  const [many, few] = [FRAMES, FEW_FRAMES].map((most) => defineTile(module, arithmetic, most));

  const block = module.function(
    'depthwiseBlock',
    { ...TILE_PARAMETERS, groupBytes: 'i32' },
    (f, { taps, x, w, bias, y, yRowBytes, frames, channels, zero, groupBytes }) => {
      f.while(i32.gtS(channels, i32.const(0)), () => {
        const operands = [taps, x, w, bias, y, yRowBytes, frames, channels, zero];
        f.if(
          i32.gtS(frames, i32.const(FEW_FRAMES)),
          () => f.call(many!, ...operands),
          () => f.call(few!, ...operands),
        );
        f.increase(x, groupBytes);
        f.increase(w, i32.mul(taps, i32.const(VECTOR)));
        f.increase(bias, VECTOR);
        f.increase(y, VECTOR);
        f.increase(channels, -LANES);
      });
    },
    false,
  );

  // A slab: Y [frames, channels] from scratch.
  module.function(
    'depthwiseSlab',
    { ...TILE_PARAMETERS, groupBytes: 'i32' },
    (f, { taps, x, w, bias, y, yRowBytes, frames: left, channels, zero, groupBytes }) => {
      f.while(i32.gtS(left, i32.const(0)), () => {
        f.call(block, taps, x, w, bias, y, yRowBytes, left, channels, zero, groupBytes);
        f.increase(x, FRAMES * VECTOR);
        f.increase(y, i32.mul(yRowBytes, i32.const(FRAMES)));
        f.increase(left, -FRAMES);
      });
    },
  );
}

export interface DepthwiseConv1dExports {
  depthwiseGather: GatherChannels;
  depthwiseSlab(
    taps: number,
    x: number,
    w: number,
    bias: number,
    y: number,
    yRowBytes: number,
    frames: number,
    channels: number,
    zero: number,
    groupBytes: number,
  ): void;
}

export const depthwiseConv1dSimd: SimdKernel<DepthwiseConv1dKernel, DepthwiseConv1dExports> = {
  name: 'depthwise-conv1d',
  summary:
    'tiles of 8 frames x 4 channels, four taps in registers, slabs of 16 channels with zeros around them',
  define: defineDepthwiseConv1d,
  bind: (exports, memory) => ({
    pack(channels, taps, weight, weightOffset, weightRowStride, lifetime) {
      const length = Math.ceil(channels / LANES) * LANES * taps;
      const data = lifetime === 'kept' ? memory.keepFloats(length) : memory.pushFloats(length);
      data.fill(0);
      for (let c = 0; c < channels; c++) {
        const from = weightOffset + c * weightRowStride;
        const to = (c - (c % LANES)) * taps + (c % LANES);
        for (let i = 0; i < taps; i++) data[to + i * LANES] = weight[from + i];
      }
      return { channels, taps, data, offset: 0, rowStride: 0 };
    },
    convolve(frames, x, xOffset, xRowStride, filters, bias, biasOffset, y, yOffset, yRowStride) {
      const { channels, taps, data } = filters;
      const mark = memory.mark();
      try {
        const from = placeInput(memory, x, xOffset, frames, channels, xRowStride);
        const to = placeOutput(memory, y, yOffset, frames, channels, yRowStride);
        const added = bias && placeInput(memory, bias, biasOffset, 1, channels, channels).pointer;
        const halo = (taps - 1) >> 1;
        // Tiles of a last block that is not full read on.
        const groupRows = frames + 2 * halo + FRAMES;
        const scratch = memory.pushFloats(SLAB * groupRows).fill(0).byteOffset;
        for (let c = 0; c < channels; c += SLAB) {
          const some = Math.min(SLAB, channels - c);
          exports.depthwiseGather(
            frames,
            Math.ceil(some / LANES),
            from.pointer + 4 * c,
            from.rowBytes,
            scratch + VECTOR * halo,
            VECTOR * groupRows,
          );
          exports.depthwiseSlab(
            taps,
            scratch,
            data.byteOffset + 4 * c * taps,
            added === null ? memory.zeros : added + 4 * c,
            to.pointer + 4 * c,
            to.rowBytes,
            frames,
            some,
            0,
            VECTOR * groupRows,
          );
        }
        returnOutput(memory, to, y, yOffset, frames, channels, yRowStride);
      } finally {
        memory.pop(mark);
      }
    },
  }),
};
