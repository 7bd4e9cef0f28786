/**
 * Filters into panels of 8 output channels, a panel at a time: [ceil(outChannels / 8)][filter][8] for the direct algorithm,
 * and from each such panel the transformed one of Winograd, [outChannels / 8][16][inChannels][8].
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, f64, f64x2, i32, type V128 } from '../wasm/expression.js';
import type { KernelMemory } from '../wasm/memory.js';
import { type Conv2dGeometry, denseFilters, type FilterSource } from './reference.js';
import { PANEL, PANEL_BYTES } from './tile.js';
import { POINTS } from './winograd-functions.js';

export interface PackExports {
  /**
   * `channels` filters, W[o, r, s, c] at from + o · outBytes + r · rowBytes + s · columnBytes + c · channelBytes, each times
   * one of `gains` [8] in float64: to a panel [rows · columns · inChannels][8], with zeros for channels that are not.
   */
  conv2dPackPanel(
    channels: number,
    rows: number,
    columns: number,
    inChannels: number,
    from: number,
    outBytes: number,
    rowBytes: number,
    columnBytes: number,
    channelBytes: number,
    gains: number,
    to: number,
  ): void;
  /** G g Gᵀ of a panel [3][3][inChannels][8], in float64: to [16][inChannels][8]. */
  conv2dTransformPanel(inChannels: number, panel: number, to: number): void;
}

/** G applied to three: the rows of Winograd's filter transform. */
const FILTER_ROWS: readonly ((g: readonly V128[]) => V128)[] = [
  (g) => g[0]!,
  (g) => half(f64x2.add(f64x2.add(g[0]!, g[1]!), g[2]!)),
  (g) => half(f64x2.add(f64x2.sub(g[0]!, g[1]!), g[2]!)),
  (g) => g[2]!,
];

const half = (x: V128): V128 => f64x2.mul(x, f64x2.constSplat(0.5));

export function definePacking(module: ModuleBuilder): void {
  module.function(
    'conv2dPackPanel',
    {
      channels: 'i32',
      rows: 'i32',
      columns: 'i32',
      inChannels: 'i32',
      from: 'i32',
      outBytes: 'i32',
      rowBytes: 'i32',
      columnBytes: 'i32',
      channelBytes: 'i32',
      gains: 'i32',
      to: 'i32',
    },
    (f, p) => {
      const [row, column, channel, at] = [
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
      ];
      const [s, c] = [f.declare('i32'), f.declare('i32')];
      f.set(row, p.from);
      f.while(i32.gtS(p.rows, i32.const(0)), () => {
        f.set(column, row);
        f.for(s, i32.const(0), p.columns, 1, () => {
          f.set(channel, column);
          f.for(c, i32.const(0), p.inChannels, 1, () => {
            f.set(at, channel);
            for (let o = 0; o < PANEL; o++) {
              f.if(
                i32.gtS(p.channels, i32.const(o)),
                () => {
                  const gain = f64.load(p.gains, 8 * o);
                  f.store(p.to, f32.demoteF64(f64.mul(f64.promoteF32(f32.load(at)), gain)), 4 * o);
                },
                () => f.store(p.to, f32.const(0), 4 * o),
              );
              f.increase(at, p.outBytes);
            }
            f.increase(channel, p.channelBytes);
            f.increase(p.to, PANEL_BYTES);
          });
          f.increase(column, p.columnBytes);
        });
        f.increase(row, p.rowBytes);
        f.increase(p.rows, -1);
      });
    },
  );

  module.function(
    'conv2dTransformPanel',
    { inChannels: 'i32', panel: 'i32', to: 'i32' },
    (f, { inChannels, panel, to }) => {
      const tapBytes = f.local(i32.mul(inChannels, i32.const(PANEL_BYTES)));
      const taps = Array.from({ length: 9 }, (_, tap) =>
        f.local(i32.add(panel, i32.mul(tapBytes, i32.const(tap)))),
      );
      const at = f.declare('i32');
      // Row i of G g for two channels, and for the two after them
      const pairs = [0, 8].map(() => [0, 1, 2].map(() => f.declare('v128')));
      f.while(i32.gtS(inChannels, i32.const(0)), () => {
        for (const side of [0, 16]) {
          f.set(at, to);
          for (const vertical of FILTER_ROWS) {
            pairs.forEach((row, pair) => {
              row.forEach((value, s) => {
                const column = [0, 1, 2].map((r) =>
                  f64x2.promoteLowF32x4(f32x4.load64Zero(taps[3 * r + s]!, side + 8 * pair)),
                );
                f.set(value, vertical(column));
              });
            });
            for (const horizontal of FILTER_ROWS) {
              const [low, high] = pairs.map((row) => f32x4.demoteF64x2Zero(horizontal(row)));
              f.store(at, f32x4.shuffle(low!, high!, [0, 1, 4, 5]), side);
              f.increase(at, tapBytes);
            }
          }
        }
        for (const tap of taps) f.increase(tap, PANEL_BYTES);
        f.increase(to, PANEL_BYTES);
        f.increase(inChannels, -1);
      });
    },
  );
}

/** Floats of the packed filters. */
export const directLength = ({
  outChannels,
  kernelHeight,
  kernelWidth,
  inChannels,
}: Conv2dGeometry): number =>
  Math.ceil(outChannels / PANEL) * PANEL * kernelHeight * kernelWidth * inChannels;

/** Floats of the filters, transformed. */
export const winogradLength = ({ inChannels, outChannels }: Conv2dGeometry): number =>
  POINTS * inChannels * outChannels;

/**
 * All panels, one after another: direct ones to `direct`, and where `winograd` is not null, transformed ones there.
 * Filters outside the kernels' memory are copied a panel at a time, because the largest layers have hundreds of megabytes.
 */
export function packFilters(
  exports: PackExports,
  memory: KernelMemory,
  g: Conv2dGeometry,
  source: FilterSource,
  direct: number,
  winograd: number | null,
): void {
  const { kernelHeight, kernelWidth, inChannels, outChannels } = g;
  const filter = kernelHeight * kernelWidth * inChannels;
  const held = memory.holds(source.data);
  const mark = memory.mark();
  try {
    const copy = held ? null : memory.pushFloats(PANEL * filter);
    const placed = copy === null ? source : denseFilters(g, copy, 0);
    const gains = new Float64Array(memory.buffer, memory.push(8 * PANEL), PANEL).fill(1);
    for (let o = 0, n = 0; o < outChannels; o += PANEL, n++) {
      const channels = Math.min(PANEL, outChannels - o);
      if (copy !== null) copyPanel(g, source, o, channels, copy);
      if (source.gain !== null) gains.set(source.gain.subarray(o, o + channels));
      const panel = direct + 4 * n * PANEL * filter;
      exports.conv2dPackPanel(
        channels,
        kernelHeight,
        kernelWidth,
        inChannels,
        placed.data.byteOffset + 4 * (placed.offset + (copy === null ? o * source.out : 0)),
        4 * placed.out,
        4 * placed.row,
        4 * placed.column,
        4 * placed.channel,
        gains.byteOffset,
        panel,
      );
      if (winograd !== null) {
        exports.conv2dTransformPanel(inChannels, panel, winograd + 4 * n * POINTS * inChannels * PANEL);
      }
    }
  } finally {
    memory.pop(mark);
  }
}

/** Filters from output channel `first` on, without gaps. */
function copyPanel(
  { kernelHeight, kernelWidth, inChannels }: Conv2dGeometry,
  { data, offset, out, row, column, channel }: FilterSource,
  first: number,
  channels: number,
  to: Float32Array,
): void {
  let at = 0;
  for (let o = first; o < first + channels; o++) {
    for (let r = 0; r < kernelHeight; r++) {
      for (let s = 0; s < kernelWidth; s++) {
        let from = offset + o * out + r * row + s * column;
        for (let c = 0; c < inChannels; c++, from += channel) to[at++] = data[from];
      }
    }
  }
}
