/** What a worker thread decodes with. */
import type { Classification, Transcript } from '../../codec/index.js';
import type { LiveDecoder } from './live.js';

/** What a client may know of the model. */
export interface ModelFacts {
  readonly name: string;
  readonly task: 'recognition' | 'classification';
  /** Eight hexadecimal digits, as `acom info` shows them. */
  readonly fingerprint: string;
  /** Of the device's samples, in hertz; encoders take any rate and resample to it. */
  readonly sampleRate: number;
  readonly codebooks: number;
  readonly codewords: number;
  /** Codebooks that an encoder uses where it is not told. */
  readonly defaultCodebooks: number;
  readonly vectorsPerSecond: number;
  readonly splitLayer: number;
  readonly labels: readonly string[];
  readonly licence: string;
  /** Whether it decodes live streams. */
  readonly live: boolean;
  /** Other models whose files are decoded as well. */
  readonly others: readonly Pick<ModelFacts, 'name' | 'task' | 'fingerprint'>[];
}

/** How a file is decoded. */
export interface FileOptions {
  /** Only the first ones of the stream; all where this is left out. */
  readonly codebooks?: number;
  /** Width of a beam search; the greedy path where this is left out. */
  readonly beam?: number;
  /** Audio that the file may hold, in seconds. */
  readonly mostSeconds: number;
}

export interface Engine {
  readonly model: ModelFacts;
  /**
   * Decodes a whole file. Throws AcomErrors. Between parts of the work it awaits `turn`, which lets live streams go first
   * and throws where the file took too long.
   */
  decode(
    bytes: Uint8Array,
    options: FileOptions,
    turn: () => Promise<void>,
  ): Promise<Transcript | Classification>;
  /** Null where the model has none. */
  readonly live: LiveDecoder | null;
}

/** What an engine's module exports as `createEngine`: `options` went through a structured clone. */
export type CreateEngine = (options: unknown) => Promise<Engine>;
