/** What reading compressed recordings has in common, whichever optional package unpacks them. */
import { AcomError, AudioError, concatenate, FormatError, MissingPackageError } from '../tensor/index.js';
import type { Recording } from './wav.js';

/** Longest recording that is unpacked: a few bytes can stand for hours of silence. */
const MOST_SECONDS = 24 * 3600;
/** The same at rates so high that 24 hours of samples would not fit in memory. */
const MOST_SAMPLES = 2 ** 31 - 1;
/** Messages of the packages about one piece of a file; one that has more to say may be going round in circles. */
const MOST_MESSAGES = 10_000;

/** What the packages give for a piece of a file. */
export interface DecodedBlock {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
  readonly sampleRate: number;
  readonly errors: readonly { readonly message: string }[];
}

/** A decoder of one of the packages. */
export interface Decoder<B extends DecodedBlock> {
  readonly ready: Promise<void>;
  decode(bytes: Uint8Array): B | Promise<B>;
  free(): void;
}

/** Throws where a header claims a longer recording than is unpacked. */
export function requireDuration(format: string, samples: number, sampleRate: number): void {
  if (samples / sampleRate <= MOST_SECONDS) return;
  const hours = Math.round(samples / sampleRate / 3600);
  throw new AudioError(`the ${format} file claims ${hours} hours; at most 24 are read`);
}

/** Mono samples as they are unpacked, and what is known of them. */
export class MonoSamples<B extends DecodedBlock = DecodedBlock> {
  length = 0;
  sampleRate = 0;
  private readonly parts: Float32Array[] = [];
  private firstError: string | undefined;

  /** `convert`: from a value of the decoder's to a sample. */
  constructor(
    private readonly format: string,
    private readonly convert: (block: B) => (value: number) => number = () => (value) => value,
  ) {}

  /** Appends the average of the channels of a block. */
  append(block: B): void {
    this.firstError ??= block.errors[0]?.message;
    const { channelData, samplesDecoded, sampleRate } = block;
    if (samplesDecoded === 0) return;
    if (this.length > 0 && sampleRate !== this.sampleRate) {
      throw new FormatError(
        this.format,
        `after ${this.length} samples, the rate changes from ${this.sampleRate} to ${sampleRate} samples a second`,
      );
    }
    this.sampleRate = sampleRate;
    this.length += samplesDecoded;
    this.requireBound();
    const convert = this.convert(block);
    const mono = new Float32Array(samplesDecoded);
    for (let i = 0; i < samplesDecoded; i++) {
      let sum = 0;
      for (const channel of channelData) sum += convert(channel[i]!);
      mono[i] = sum / channelData.length;
    }
    this.parts.push(mono);
  }

  private requireBound(): void {
    if (this.length <= Math.min(MOST_SECONDS * this.sampleRate, MOST_SAMPLES)) return;
    const most = this.length > MOST_SAMPLES ? `${MOST_SAMPLES} samples` : '24 hours';
    throw new AudioError(`the ${this.format} file holds more than ${most}: split it into several`);
  }

  /** Throws where nothing could be decoded and the file was not simply empty. */
  requireSome(promised: number): void {
    if (this.length > 0 || (promised <= 0 && this.firstError === undefined)) return;
    throw new FormatError(
      this.format,
      `nothing could be decoded: ${this.firstError ?? 'no frames were found'}`,
    );
  }

  /** Samples `from` to `to` - 1, as far as they are there; of `promised` samples, those that are not are missing. */
  recording(channels: number, promised: number, from = 0, to = this.length): Recording {
    const samples = this.all().subarray(from, Math.max(from, to));
    const { sampleRate } = this;
    return { samples, sampleRate, channels, missingSamples: Math.max(0, promised - samples.length) };
  }

  private all(): Float32Array {
    try {
      return concatenate(this.parts);
    } catch {
      throw new AudioError(`the ${this.length} samples of the ${this.format} file do not fit in memory`);
    }
  }
}

let silenced = 0;
let messages = 0;
let consoleError = console.error;

/** The packages print what is wrong with a file, besides saying so in what they return. */
function dropMessages(...about: unknown[]): void {
  const [text] = about;
  if (typeof text !== 'string' || !/^(mpg123-decoder|@wasm-audio-decoders\/|libopus )/.test(text)) {
    consoleError(...about);
  } else if (++messages > MOST_MESSAGES) throw new Error(text);
}

async function silently<T>(work: () => T | Promise<T>): Promise<T> {
  if (silenced++ === 0) {
    messages = 0;
    consoleError = console.error;
    console.error = dropMessages;
  }
  try {
    return await work();
  } finally {
    if (--silenced === 0 && console.error === dropMessages) console.error = consoleError;
  }
}

/** Makes a decoder of an optional package; `load` imports it. */
export async function loadDecoder<D>(
  packageName: string,
  purpose: string,
  load: () => Promise<D>,
): Promise<D> {
  try {
    return await load();
  } catch (cause) {
    throw new MissingPackageError(packageName, purpose, cause);
  }
}

/**
 * Appends what a decoder makes of the pieces of a file, each of which is asked for when all before it is decoded.
 * Frees the decoder. Throws FormatError where it gives up.
 */
export async function decodePieces<B extends DecodedBlock>(
  format: string,
  decoder: Decoder<B>,
  pieces: Iterable<Uint8Array | (() => B | Promise<B>)>,
  mono: MonoSamples<B>,
): Promise<void> {
  try {
    await decoder.ready;
    for (const piece of pieces) {
      mono.append(await silently(typeof piece === 'function' ? piece : () => decoder.decode(piece)));
    }
  } catch (error) {
    if (error instanceof AcomError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(format, `after ${mono.length} samples, the decoder gives up: ${reason}`);
  } finally {
    try {
      decoder.free();
    } catch {
      // It has not got as far as having something to free.
    }
  }
}
