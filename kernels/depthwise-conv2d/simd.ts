/**
 * Depthwise convolution of images with WebAssembly SIMD: a sum of convolutions along the height, each of which is the
 * tile of one dimension (kernels/depthwise-conv1d).
 *
 * A group of four channels is first copied to scratch, [columns][phases][rows][4], zeros around it:
 *
 * - Rows of a column lie 16 bytes apart, so 8 outputs below one another and 3 taps meet in 10 loads. A picture of
 *   sound is longer in time, its height, than in frequency.
 * - Row y goes to phase y mod stride, place floor(y / stride). What tap r sees as the window moves on by a stride are
 *   then neighbours in phase r mod stride: any stride runs as stride 1 does.
 *
 * So a filter is a list of segments, one for each of its columns and phases: where it begins in scratch, and its taps.
 * Channels go by in slabs of 16, a cache line of X and of Y; wide images in bands of columns that fit the cache.
 */
import { FLOOR_BITS } from '../conv2d/direct.js';
import { LANES, slideTaps, storeFrames, VECTOR } from '../depthwise-conv1d/window.js';
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, i32 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import {
  filterLength,
  layoutOf,
  packTaps,
  ROWS,
  SEGMENT_BYTES,
  SLAB,
  seenBy,
  writeSegments,
} from './layout.js';
import { type DepthwiseConv2dKernel, depthwiseConv2dOutputSize } from './reference.js';

/** Rows of the tile for what is left. */
const FEW_ROWS = 4;
/** Taps that are held in registers at a time: filters are 3 or 5 high. */
const TAPS = [3, 2, 1] as const;

const TILE_PARAMETERS = {
  segments: 'i32',
  segmentsEnd: 'i32',
  x: 'i32',
  w: 'i32',
  bias: 'i32',
  floorBits: 'i32',
  y: 'i32',
  yRowBytes: 'i32',
  rows: 'i32',
  channels: 'i32',
  zero: 'i32',
} as const;

/**
 * Adds `depthwise2dTile<most>`: outputs [most, 4] of one column from all segments; the first `rows` rows and
 * `channels` channels of them are written.
 */
function defineTile(module: ModuleBuilder, { madd }: Arithmetic, most: number): FunctionReference {
  return module.function(
    `depthwise2dTile${most}`,
    TILE_PARAMETERS,
    (f, { segments, segmentsEnd, x, w, bias, floorBits, y, yRowBytes, rows, channels, zero }) => {
      const start = f.local(f32x4.load(bias));
      const sums = Array.from({ length: most }, () => f.local(start));
      const [from, taps] = [f.declare('i32'), f.declare('i32')];
      f.while(i32.ltS(segments, segmentsEnd), () => {
        f.set(from, i32.add(x, i32.load(segments)));
        f.set(taps, i32.load(segments, 4));
        slideTaps(f, madd, sums, { x: from, w, taps, zero }, TAPS);
        f.increase(segments, SEGMENT_BYTES);
      });
      const floor = f.local(f32x4.splat(f32.reinterpretI32(floorBits)));
      for (const sum of sums) f.set(sum, f32x4.pmax(sum, floor));
      storeFrames(f, sums, y, yRowBytes, rows, channels);
    },
    false,
  );
}

const GATHER_PARAMETERS = {
  rows: 'i32',
  columns: 'i32',
  groups: 'i32',
  x: 'i32',
  xRowBytes: 'i32',
  pixelBytes: 'i32',
  to: 'i32',
  groupBytes: 'i32',
  columnBytes: 'i32',
  phaseBytes: 'i32',
  phase: 'i32',
  phases: 'i32',
} as const;

/**
 * Adds `depthwise2dGather`: pixels [rows, columns] of 4 · groups channels to scratch. The first row goes to `phase` at
 * `to`, the next one to the phase after it; after the last of `phases` comes the next place of phase 0.
 */
function defineGather(module: ModuleBuilder): void {
  module.function('depthwise2dGather', GATHER_PARAMETERS, (f, p) => {
    const [pixel, place] = [f.declare('i32'), f.declare('i32')];
    const [left, from, at, group] = [f.declare('i32'), f.declare('i32'), f.declare('i32'), f.declare('i32')];
    f.while(i32.gtS(p.rows, i32.const(0)), () => {
      f.set(pixel, p.x);
      f.set(place, i32.add(p.to, i32.mul(p.phase, p.phaseBytes)));
      f.set(left, p.columns);
      f.while(i32.gtS(left, i32.const(0)), () => {
        f.set(from, pixel);
        f.set(at, place);
        f.set(group, p.groups);
        f.while(i32.gtS(group, i32.const(0)), () => {
          f.store(at, f32x4.load(from));
          f.increase(from, VECTOR);
          f.increase(at, p.groupBytes);
          f.increase(group, -1);
        });
        f.increase(pixel, p.pixelBytes);
        f.increase(place, p.columnBytes);
        f.increase(left, -1);
      });
      f.increase(p.x, p.xRowBytes);
      f.increase(p.phase, 1);
      f.if(i32.eq(p.phase, p.phases), () => {
        f.set(p.phase, i32.const(0));
        f.increase(p.to, VECTOR);
      });
      f.increase(p.rows, -1);
    });
  });
}

const SLAB_PARAMETERS = { ...TILE_PARAMETERS, groupBytes: 'i32', filterBytes: 'i32' } as const;

export function defineDepthwiseConv2d(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineGather(module);
  const [many, few] = [ROWS, FEW_ROWS].map((most) => defineTile(module, arithmetic, most));

  // Outputs [up to 8, channels] of one column: lines of Y are filled while they are near.
  const block = module.function(
    'depthwise2dBlock',
    SLAB_PARAMETERS,
    (f, p) => {
      f.while(i32.gtS(p.channels, i32.const(0)), () => {
        const operands = (Object.keys(TILE_PARAMETERS) as (keyof typeof TILE_PARAMETERS)[]).map(
          (name) => p[name],
        );
        f.if(
          i32.gtS(p.rows, i32.const(FEW_ROWS)),
          () => f.call(many!, ...operands),
          () => f.call(few!, ...operands),
        );
        f.increase(p.x, p.groupBytes);
        f.increase(p.w, p.filterBytes);
        f.increase(p.bias, VECTOR);
        f.increase(p.y, VECTOR);
        f.increase(p.channels, -LANES);
      });
    },
    false,
  );

  // Columns of outputs, each [rows, channels].
  module.function(
    'depthwise2dSlab',
    { ...SLAB_PARAMETERS, columns: 'i32', xStepBytes: 'i32', yStepBytes: 'i32' },
    (f, p) => {
      const [x, y, rows] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(p.columns, i32.const(0)), () => {
        f.set(x, p.x);
        f.set(y, p.y);
        f.set(rows, p.rows);
        f.while(i32.gtS(rows, i32.const(0)), () => {
          const operands = (Object.keys(SLAB_PARAMETERS) as (keyof typeof SLAB_PARAMETERS)[]).map(
            (name) => ({ ...p, x, y, rows })[name],
          );
          f.call(block, ...operands);
          f.increase(x, ROWS * VECTOR);
          f.increase(y, i32.mul(p.yRowBytes, i32.const(ROWS)));
          f.increase(rows, -ROWS);
        });
        f.increase(p.x, p.xStepBytes);
        f.increase(p.y, p.yStepBytes);
        f.increase(p.columns, -1);
      });
    },
  );
}

export interface DepthwiseConv2dExports {
  depthwise2dGather(
    rows: number,
    columns: number,
    groups: number,
    x: number,
    xRowBytes: number,
    pixelBytes: number,
    to: number,
    groupBytes: number,
    columnBytes: number,
    phaseBytes: number,
    phase: number,
    phases: number,
  ): void;
  depthwise2dSlab(
    segments: number,
    segmentsEnd: number,
    x: number,
    w: number,
    bias: number,
    floorBits: number,
    y: number,
    yRowBytes: number,
    rows: number,
    channels: number,
    zero: number,
    groupBytes: number,
    filterBytes: number,
    columns: number,
    xStepBytes: number,
    yStepBytes: number,
  ): void;
}

export const depthwiseConv2dSimd: SimdKernel<DepthwiseConv2dKernel, DepthwiseConv2dExports> = {
  name: 'depthwise-conv2d',
  summary: 'sums of convolutions along the height: tiles of 8 rows x 4 channels, three taps in registers',
  define: defineDepthwiseConv2d,
  bind: (exports, memory) => ({
    pack(g, weight, offset, lifetime) {
      const length = filterLength(g);
      const data = lifetime === 'kept' ? memory.keepFloats(length) : memory.pushFloats(length);
      packTaps(g, weight, offset, data);
      return { data, offset: 0 };
    },
    convolve(g, x, xOffset, { data }, bias, biasOffset, activation, y, yOffset) {
      const { channels, width } = g;
      const out = depthwiseConv2dOutputSize(g);
      const layout = layoutOf(g, out);
      const [inFloats, outFloats] = [g.height * width * channels, out.height * out.width * channels];
      const filterBytes = VECTOR * g.kernelHeight * g.kernelWidth;
      const mark = memory.mark();
      try {
        const from = placeInput(memory, x, xOffset, 1, inFloats, inFloats).pointer;
        const to = placeOutput(memory, y, yOffset, 1, outFloats, outFloats);
        const added = bias && placeInput(memory, bias, biasOffset, 1, channels, channels).pointer;
        const segments = writeSegments(memory, g, layout);
        const scratch = memory.pushFloats((layout.groupBytes / 4) * (SLAB / LANES));
        for (let first = 0; first < out.width; first += layout.bandOutputs) {
          const outputs = Math.min(layout.bandOutputs, out.width - first);
          const seen = seenBy(g, layout, out.height, first, outputs);
          // What is outside the image is zero in every slab.
          scratch.fill(0);
          for (let c = 0; c < channels; c += SLAB) {
            const some = Math.min(SLAB, channels - c);
            exports.depthwise2dGather(
              seen.rows,
              seen.columns,
              Math.ceil(some / LANES),
              from + 4 * (seen.firstColumn * channels + c),
              4 * width * channels,
              4 * channels,
              scratch.byteOffset + seen.place,
              layout.groupBytes,
              layout.columnBytes,
              layout.phaseBytes,
              seen.phase,
              g.strideHeight,
            );
            exports.depthwise2dSlab(
              segments.pointer,
              segments.end,
              scratch.byteOffset,
              data.byteOffset + (c / LANES) * filterBytes,
              added === null ? memory.zeros : added + 4 * c,
              FLOOR_BITS[activation],
              to.pointer + 4 * (first * channels + c),
              4 * out.width * channels,
              out.height,
              some,
              0,
              layout.groupBytes,
              filterBytes,
              outputs,
              g.strideWidth * layout.columnBytes,
              4 * channels,
            );
          }
        }
        returnOutput(memory, to, y, yOffset, 1, outFloats, outFloats);
      } finally {
        memory.pop(mark);
      }
    },
  }),
};
