/**
 * The log-mel front end with WebAssembly SIMD, four frames at a time, one in each lane.
 *
 *   samples  -> window and transpose:    z[n] = w[2n] x[2n] + i w[2n+1] x[2n+1], four frames side by side
 *            -> complex transform        Z [size / 2], by kernels/fourier/lanes.ts
 *            -> split and square         S [bins]
 *            -> sums over bands          [mels], one weight for all lanes
 *            -> logarithm, transpose     a row of Y for each lane
 *
 * Only the first and the last step move numbers between lanes. All arithmetic is float32. Frames never meet, so a
 * frame comes out the same whichever lane it is in; a last group of fewer than four repeats its last frame.
 */
import { COMPLEX_BYTES, defineFourierLanes } from '../fourier/lanes.js';
import type { Local, ModuleBuilder } from '../wasm/assembler.js';
import { type I32, i32 } from '../wasm/expression.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import {
  type CreateLogMel,
  createLogMelReference,
  type LogMelPlan,
  type LogMelSettings,
} from './reference.js';
import {
  COMPRESSIONS,
  defineBands,
  defineCompress,
  defineRows,
  defineSpectrum,
  defineWindow,
} from './stages.js';
import { BAND_STEP, halfFactors, LANES, LANES_BYTES, type LogMelTables, writeTables } from './tables.js';

/** Adds the functions of the kernel. */
export function defineLogMel(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const transform = defineFourierLanes(module, arithmetic);
  const window = defineWindow(module);
  const spectrum = defineSpectrum(module, arithmetic);
  const bands = defineBands(module, arithmetic);
  const compress = defineCompress(module, arithmetic);
  const rows = defineRows(module);

  // z begins in `first`; its transform Z ends in `result`, which is one of `first` and `second`.
  module.function(
    'logMel',
    {
      frames: 'i32',
      half: 'i32',
      mels: 'i32',
      magnitude: 'i32',
      compression: 'i32',
      window: 'i32',
      passes: 'i32',
      split: 'i32',
      bands: 'i32',
      x: 'i32',
      hopBytes: 'i32',
      y: 'i32',
      yRowBytes: 'i32',
      first: 'i32',
      second: 'i32',
      result: 'i32',
      spectrum: 'i32',
      sums: 'i32',
    },
    (f, p) => {
      // Bytes of the window, up to a multiple of 4 samples.
      const windowBytes = f.local(
        i32.and(i32.add(i32.shl(p.half, i32.const(3)), i32.const(8)), i32.const(-16)),
      );
      /** pointer + min(lane, frames - 1) · step: the last frame again where there is no other. */
      const lanes = (pointer: Local<'i32'>, step: I32): Local<'i32'>[] => {
        const all = [pointer];
        for (let lane = 1; lane < LANES; lane++) {
          const before = all[lane - 1]!;
          const more = i32.gtS(p.frames, i32.const(lane));
          all.push(f.local(i32.select(i32.add(before, step), before, more)));
        }
        return all;
      };
      f.while(i32.gtS(p.frames, i32.const(0)), () => {
        f.call(window, ...lanes(p.x, p.hopBytes), p.window, windowBytes, p.first);
        f.call(transform, p.first, p.second, p.passes);
        f.call(spectrum, p.result, p.half, p.split, p.spectrum, p.magnitude);
        f.call(bands, p.mels, p.bands, p.spectrum, p.sums);
        f.if(p.compression, () => f.call(compress, p.mels, p.sums, p.compression));
        f.call(rows, p.mels, p.sums, ...lanes(p.y, p.yRowBytes));
        f.increase(p.x, i32.shl(p.hopBytes, i32.const(2)));
        f.increase(p.y, i32.shl(p.yRowBytes, i32.const(2)));
        f.increase(p.frames, -LANES);
      });
    },
  );
}

export interface LogMelExports {
  logMel(
    frames: number,
    half: number,
    mels: number,
    magnitude: number,
    compression: number,
    window: number,
    passes: number,
    split: number,
    bands: number,
    x: number,
    hopBytes: number,
    y: number,
    yRowBytes: number,
    first: number,
    second: number,
    result: number,
    spectrum: number,
    sums: number,
  ): void;
}

/** Frames that are copied in and out at a time, where samples or results lie elsewhere: their memory stays in the cache. */
const BLOCK_FRAMES = 64;

class LanePlan implements LogMelPlan {
  constructor(
    private readonly exports: LogMelExports,
    private readonly memory: KernelMemory,
    private readonly settings: LogMelSettings,
    private readonly tables: LogMelTables,
  ) {}

  transform(
    frames: number,
    x: Float32Array,
    xOffset: number,
    y: Float32Array,
    yOffset: number,
    yRowStride: number,
  ): void {
    const { memory, tables } = this;
    const { size, hop, mels, spectrum, compression } = this.settings;
    const half = size / 2;
    const mark = memory.mark();
    try {
      const first = memory.push(COMPLEX_BYTES * (half + 2));
      const second = memory.push(COMPLEX_BYTES * (half + 2));
      const levels = memory.push(LANES_BYTES * (half + BAND_STEP));
      const sums = memory.push(LANES_BYTES * (mels + 1));
      const inner = memory.mark();
      for (let t = 0; t < frames; t += BLOCK_FRAMES) {
        const count = Math.min(BLOCK_FRAMES, frames - t);
        const samples = (count - 1) * hop + size;
        const from = placeInput(memory, x, xOffset + t * hop, 1, samples, samples);
        const to = placeOutput(memory, y, yOffset + t * yRowStride, count, mels, yRowStride);
        this.exports.logMel(
          count,
          half,
          mels,
          spectrum === 'magnitude' ? 1 : 0,
          COMPRESSIONS.indexOf(compression),
          tables.window,
          tables.passes,
          tables.split,
          tables.bands,
          from.pointer,
          4 * hop,
          to.pointer,
          to.rowBytes,
          first,
          second,
          tables.passCount % 2 === 0 ? first : second,
          levels,
          sums,
        );
        returnOutput(memory, to, y, yOffset + t * yRowStride, count, mels, yRowStride);
        memory.pop(inner);
      }
    } finally {
      memory.pop(mark);
    }
  }
}

export const logMelSimd: SimdKernel<CreateLogMel, LogMelExports> = {
  name: 'log-mel',
  summary:
    'four frames at a time, one in each lane; radix 4, 3, 5, 8, 2; sizes with other factors as the reference',
  define: defineLogMel,
  bind: (exports, memory) => (settings, window, filters) => {
    const factors = halfFactors(settings.size);
    if (factors === null) return createLogMelReference(settings, window, filters);
    return new LanePlan(exports, memory, settings, writeTables(memory, settings, factors, window, filters));
  },
};
