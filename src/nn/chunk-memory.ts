/** What a conformer that runs in chunks remembers of the frames before a chunk. */
import { empty, type Tensor } from '../tensor/index.js';
import type { ChunkConfig, EncoderConfig } from './encoder-config.js';

/** The last frames of one signal, as many as there have been up to a bound. */
export class FrameMemory {
  private readonly data: Float32Array;
  private count = 0;

  constructor(
    private readonly most: number,
    private readonly width: number,
  ) {
    this.data = new Float32Array(most * width);
  }

  /** Frames that are remembered. */
  get frames(): number {
    return this.count;
  }

  /**
   * What is remembered, then x [frames, width] without gaps in its rows, into `to`; the last of it all is remembered
   * afterwards.
   */
  join(x: Tensor, to: Float32Array): void {
    const { count, width, most, data } = this;
    const frames = x.shape[0]!;
    to.set(data.subarray(0, count * width));
    for (let t = 0; t < frames; t++) {
      const from = x.offset + t * x.stride[0]!;
      to.set(x.data.subarray(from, from + width), (count + t) * width);
    }
    this.count = Math.min(most, count + frames);
    const end = (count + frames) * width;
    data.set(to.subarray(end - this.count * width, end));
  }
}

/** Of one layer: its packed queries, keys and values, and what goes into its convolution. */
export interface LayerMemory {
  readonly attention: FrameMemory;
  readonly convolution: FrameMemory;
}

/** Of one stream, layer by layer. */
export type EncoderMemory = readonly LayerMemory[];

/** The memory of a stream that has not begun. */
export const encoderMemory = (
  { width, depthwiseTaps, chunks }: EncoderConfig,
  layers: number,
): EncoderMemory =>
  Array.from({ length: layers }, () => ({
    attention: new FrameMemory(chunks?.past ?? 0, 3 * width),
    convolution: new FrameMemory((depthwiseTaps - 1) / 2, width),
  }));

/**
 * Frames before a chunk that what `layers` layers make of it depends on, whole chunks: those of its attention, before the chunk
 * with the first frame that its convolution takes.
 */
export function reachOf(
  { depthwiseTaps }: EncoderConfig,
  { frames, past }: ChunkConfig,
  layers: number,
): number {
  const chunks = Math.ceil((depthwiseTaps - 1) / 2 / frames) + Math.ceil(past / frames);
  return layers * chunks * frames;
}

/** Frames of stream `b` of x [streams, frames, width] behind those that `memory` has of it: [1, frames', width]. */
export function remembered(x: Tensor, b: number, memory: FrameMemory): Tensor {
  const own = x.pick(b, null, null);
  const [frames, width] = own.shape as [number, number];
  const joined = empty([1, memory.frames + frames, width]);
  memory.join(own, joined.data.subarray(joined.offset, joined.offset + joined.size));
  return joined;
}

/** Copies the last `frames` rows of y [1, frames', width] to stream `b` of `to` [streams, frames, width]. */
export function lastFrames(y: Tensor, to: Tensor, b: number): void {
  const [, frames, width] = to.shape as [number, number, number];
  const from = y.offset + (y.shape[1]! - frames) * width;
  to.data.set(y.data.subarray(from, from + frames * width), to.offset + b * frames * width);
}
