/** The cloud half while somebody speaks: packets in, words out as soon as they have been said. */
import { type LiveHeader, type LivePacket, parseLivePacket } from '../bitstream/live.js';
import type { EncoderMemory } from '../nn/chunk-memory.js';
import type { Chunked, Suffix } from '../nn/network.js';
import type { VectorTable } from '../quantizer/vector-quantizer.js';
import { LiveWords } from '../tasks/live-words.js';
import type { Word } from '../tasks/recognition.js';
import {
  AcomError,
  asBytes,
  type Bytes,
  CorruptStreamError,
  contiguous,
  FormatError,
  requireOptions,
  type Tensor,
  UsageError,
  view,
} from '../tensor/index.js';
import { FrameTiming } from './frame-timing.js';
import type { StreamCoder } from './stream-coder.js';
import { liveShape } from './streaming-encoder.js';
import { mostSeconds } from './timing.js';
import { VectorLayout } from './vector-layout.js';

/** What a packet brought. */
export interface LiveUpdate {
  /** Words that have ended since the last update; nothing changes them any more. */
  readonly words: readonly Word[];
  /** The word that is being said, as far as it was heard; null where none is. */
  readonly partial: string | null;
  /** Packets so far, and how many of those before the last one never came. */
  readonly packets: number;
  readonly lost: number;
  /** Seconds of sound so far. */
  readonly seconds: number;
  /** Whether the stream is at its end: the last packet came, or `finish` ended it without. */
  readonly done: boolean;
}

/**
 * What stands for vectors of packets that never came: nothing (the network takes what follows for what comes next), the most
 * frequent codewords, the vector before them again, or nothing, and the network begins anew.
 */
export const CONCEALMENTS = ['hold', 'frequent', 'repeat', 'reset'] as const;
export type Concealment = (typeof CONCEALMENTS)[number];

export interface LiveDecodeOptions {
  /** Default: hold, which costs nothing and makes the fewest errors (`npm run bench:live`). */
  readonly concealment?: Concealment;
}

/** Most streams whose chunks run together: more need more memory and gain nothing. */
const MOST_TOGETHER = 64;
/** Vectors of a gap that something is put in the place of; after longer ones a stream begins anew. */
const MOST_CONCEALED = 32;

/** What all streams of a model share. */
interface Shared {
  readonly coder: StreamCoder;
  readonly chunks: Chunked<EncoderMemory>;
  readonly table: VectorTable;
  readonly layout: VectorLayout;
  readonly timing: FrameTiming;
  readonly packetSamples: (header: LiveHeader) => number;
  readonly vectorsPerChunk: number;
}

/** Decodes live streams of one model, as many at once as there is memory for. */
export class LiveDecoder {
  private readonly shared: Shared;

  /** @internal; use CloudDecoder.live. */
  constructor(coder: StreamCoder, suffix: Suffix, table: VectorTable) {
    const { samplesPerVector, vectorsPerChunk } = liveShape(coder.config);
    if (!suffix.chunks) throw new UsageError('LiveDecoder: these layers want whole recordings');
    this.shared = {
      coder,
      chunks: suffix.chunks,
      table,
      layout: new VectorLayout(coder.config),
      timing: new FrameTiming(coder.config),
      packetSamples: ({ vectorsPerPacket }) => vectorsPerPacket * samplesPerVector,
      vectorsPerChunk,
    };
  }

  /** Begins a stream. Throws FormatError for what opens none, ModelMismatchError for a stream of another model. */
  open(opening: Bytes, options: LiveDecodeOptions = {}): LiveDecoding {
    requireOptions(options, 'live stream');
    const { concealment = 'hold' } = options;
    if (!CONCEALMENTS.includes(concealment)) {
      throw new UsageError(`concealment is ${concealment}; there are ${CONCEALMENTS.join(', ')}`);
    }
    const { coder, vectorsPerChunk } = this.shared;
    const header = coder.readOpening(opening);
    if (header.vectorsPerPacket % vectorsPerChunk !== 0) {
      throw new FormatError(
        'live stream',
        `packets of ${header.vectorsPerPacket} vectors, expected a multiple of the ${vectorsPerChunk} of a chunk`,
      );
    }
    return new LiveDecoding(this.shared, header, asBytes(opening, 'live stream').slice(), concealment);
  }

  /**
   * One packet of each of several streams, or several of one in order; their chunks run together. A bad packet is an error in
   * its own place and ends its own stream.
   */
  receiveAll(
    batch: readonly { readonly stream: LiveDecoding; readonly message: Uint8Array }[],
  ): (LiveUpdate | AcomError)[] {
    const answers: (LiveUpdate | AcomError)[] = [];
    let left = batch.map((item, place) => ({ ...item, place }));
    while (left.length > 0) {
      // The first packet of every stream, then the second.
      const seen = new Set<LiveDecoding>();
      const [turn, later]: [typeof left, typeof left] = [[], []];
      for (const item of left) {
        (seen.has(item.stream) ? later : turn).push(item);
        seen.add(item.stream);
      }
      left = later;
      const accepted = turn.filter(({ stream, message, place }) => {
        try {
          stream.accept(message);
          return true;
        } catch (error) {
          if (!(error instanceof AcomError)) throw error;
          answers[place] = error;
          return false;
        }
      });
      runWaiting(
        this.shared,
        accepted.map(({ stream }) => stream),
      );
      for (const { stream, place } of accepted) answers[place] = stream.update();
    }
    return answers;
  }
}

/** Runs all chunks that wait, those of several streams together. */
function runWaiting({ chunks }: Shared, streams: readonly LiveDecoding[]): void {
  for (let busy = [...streams]; busy.length > 0; ) {
    busy = busy.filter((stream) => stream.waiting.length > 0);
    const whole = busy.filter((stream) => stream.waiting[0]!.shape[0] === chunks.steps);
    for (let at = 0; at < whole.length; at += MOST_TOGETHER) {
      runTogether(chunks, whole.slice(at, at + MOST_TOGETHER));
    }
    // Ends of streams are shorter, and each by itself.
    for (const stream of busy) if (!whole.includes(stream)) runTogether(chunks, [stream]);
  }
}

function runTogether(chunks: Chunked<EncoderMemory>, streams: readonly LiveDecoding[]): void {
  const first = streams[0]!.waiting[0]!;
  const [frames, width] = first.shape as [number, number];
  const x = new Float32Array(streams.length * frames * width);
  streams.forEach((stream, b) => {
    const { data, offset } = stream.waiting[0]!;
    x.set(data.subarray(offset, offset + frames * width), b * frames * width);
  });
  const y = chunks.forward(
    view(x, [streams.length, frames, width]),
    streams.map(({ memory }) => memory),
  );
  streams.forEach((stream, b) => {
    stream.answer(y.pick(b, null, null));
  });
}

/** One live stream. */
export class LiveDecoding {
  /** @internal */
  memory: EncoderMemory;
  /** @internal Chunks that wait for the network: steps [n, width]. */
  readonly waiting: Tensor[] = [];
  private readonly live: LiveWords;
  private words: Word[] = [];
  /** The number of the packet after the last one that came. */
  private next = 0;
  private arrived = 0;
  private done = false;
  /** Also while a packet is taken: whatever goes wrong half way leaves a stream that is of no more use. */
  private failed = false;
  private samples = 0;
  private lastVector: Int32Array | null = null;

  /** @internal; use LiveDecoder.open. */
  constructor(
    private readonly shared: Shared,
    readonly header: LiveHeader,
    /** As it came: checksums are over its bytes, and numbers have longer forms than ours. */
    private readonly opening: Uint8Array,
    private readonly concealment: Concealment,
  ) {
    this.memory = shared.chunks.memory();
    this.live = new LiveWords(shared.coder.config, shared.timing.frameSeconds);
  }

  /**
   * Takes a packet. Throws CorruptStreamError for a damaged one, FormatError for one that no encoder made, UsageError after the
   * last one; the stream is at its end then.
   */
  receive(message: Bytes): LiveUpdate {
    this.accept(message);
    runWaiting(this.shared, [this]);
    return this.update();
  }

  /** Ends a stream whose last packet does not come. */
  finish(): LiveUpdate {
    if (!this.done) this.words.push(...this.live.finish());
    this.done = true;
    return this.update();
  }

  /** @internal Takes a packet apart into chunks that wait; `update` is to follow when they have run. */
  accept(message: Bytes): void {
    if (this.done || this.failed) throw new UsageError('this live stream is at its end: open a new one');
    this.failed = true;
    const packet = parseLivePacket(this.opening, message, this.next);
    if (packet.number >= this.next) this.take(packet);
  }

  /** @internal What the network made of the first chunk that waits. */
  answer(logProbs: Tensor): void {
    this.waiting.shift();
    this.words.push(...this.live.push(logProbs));
  }

  /** @internal What is new. */
  update(): LiveUpdate {
    const { words, arrived, next, samples, done } = this;
    this.failed = false;
    if (done) words.push(...this.live.finish());
    this.words = [];
    return {
      words,
      partial: this.live.partial,
      packets: arrived,
      lost: next - arrived,
      seconds: this.shared.timing.seconds(samples),
      done,
    };
  }

  private take({ number, run, lastSamples }: LivePacket): void {
    const { shared, header } = this;
    const { timing, coder } = shared;
    const perPacket = shared.packetSamples(header);
    const samples = number * perPacket + (lastSamples ?? perPacket);
    if (timing.seconds(samples) > mostSeconds(timing)) {
      throw new CorruptStreamError(
        `live stream: packet ${number} is ${mostSeconds(timing)} s or more from its beginning`,
      );
    }
    const before = number * header.vectorsPerPacket;
    const vectors = lastSamples === null ? header.vectorsPerPacket : timing.vectors(samples) - before;
    if (vectors > header.vectorsPerPacket) {
      throw new FormatError(
        'live stream',
        `its last packet claims ${lastSamples} samples, more than a packet has`,
      );
    }
    const indices = coder.decodeRun(run, vectors, header);
    this.conceal(number - this.next);
    const { framesPerVector } = timing;
    const whole = vectors * framesPerVector;
    this.enqueue(indices, lastSamples === null ? whole : timing.frames(samples) - before * framesPerVector);
    this.lastVector = vectors > 0 ? indices.slice(-header.codebooks) : this.lastVector;
    this.next = number + 1;
    this.arrived++;
    this.samples = samples;
    this.done = lastSamples !== null;
  }

  /** Puts something in the place of packets that never came. */
  private conceal(packets: number): void {
    if (packets === 0) return;
    const { shared, header, concealment } = this;
    const vectors = packets * header.vectorsPerPacket;
    const frames = vectors * shared.timing.framesPerVector;
    const stand =
      concealment === 'repeat'
        ? this.lastVector
        : concealment === 'frequent'
          ? shared.coder.frequent(header.codebooks)
          : null;
    // Longer than anything is remembered: nothing of before the gap is left anyhow.
    const isLong = vectors > MOST_CONCEALED;
    if (stand !== null && !isLong) {
      this.enqueue(
        Int32Array.from({ length: vectors * stand.length }, (_, i) => stand[i % stand.length]!),
        frames,
      );
      return;
    }
    if (concealment !== 'hold' || isLong) this.memory = shared.chunks.memory();
    this.words.push(...this.live.skip(frames));
  }

  /** Cuts the steps that vectors stand for into chunks. */
  private enqueue(indices: Int32Array, frames: number): void {
    const { table, layout, chunks } = this.shared;
    if (frames === 0) return;
    const stages = this.header.codebooks;
    const looked = table.lookUp(view(indices, [indices.length / stages, stages]));
    const steps = layout.toSteps(looked, frames);
    for (let from = 0; from < frames; from += chunks.steps) {
      const count = Math.min(chunks.steps, frames - from);
      this.waiting.push(contiguous(steps.lo(from, 0).hi(count, steps.shape[1]!)));
    }
  }
}
