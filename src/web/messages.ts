/** What the page and its worker say to each other. */
import type { Word } from '../tasks/recognition.js';

/** The model beside the page, with both halves; or the device half of the one that the server has. */
export type ModelPlace = 'page' | 'server';

/** What the page shows of a model. */
export interface ModelFacts {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly fingerprint: string;
  readonly sampleRate: number;
  readonly codebooks: number;
  readonly defaultCodebooks: number;
  readonly codewords: number;
  /** Rows of codes that one codebook makes. */
  readonly groups: number;
  readonly secondsPerVector: number;
  /** Vectors of a packet are a multiple of this, and at most `mostPacketVectors`. */
  readonly vectorsPerChunk: number;
  readonly mostPacketVectors: number;
  /** All that it can hear. */
  readonly words: readonly string[];
  /** Whether both halves are there, so that it can answer too. */
  readonly isWhole: boolean;
}

/** Where the sound of an utterance comes from: all of it at once, or pieces over a port, of which null is the end. */
export type Sound =
  | { readonly samples: Float32Array; readonly sampleRate: number }
  | { readonly port: MessagePort; readonly sampleRate: number };

/** What a port of sound carries. */
export type SoundPiece = Float32Array | null;

export interface UtteranceSettings {
  readonly place: ModelPlace;
  readonly codebooks: number;
  readonly packetVectors: number;
  /** Whether the worker decodes as well. */
  readonly answer: boolean;
}

export type WorkerRequest =
  | {
      readonly kind: 'load';
      readonly place: ModelPlace;
      readonly url: string;
      readonly token: string | null;
    }
  | {
      readonly kind: 'begin';
      readonly id: number;
      readonly sound: Sound;
      readonly settings: UtteranceSettings;
    }
  /** Ends an utterance at once, without its last packet. */
  | { readonly kind: 'cancel'; readonly id: number };

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What comes of an utterance, in order; `done` or `failed` is the last. */
export type UtteranceEvent =
  | { readonly kind: 'opening'; readonly bytes: Uint8Array }
  /** Peaks: lowest and highest sample by turns, of each sixteenth of a vector. */
  | { readonly kind: 'sound'; readonly peaks: Float32Array }
  /** Indices [vectors, rows]. */
  | { readonly kind: 'codes'; readonly indices: Int32Array; readonly rows: number }
  | { readonly kind: 'packet'; readonly bytes: Uint8Array }
  | { readonly kind: 'words'; readonly words: readonly Word[]; readonly partial: string | null }
  /** Seconds of sound, and of work to encode it. */
  | { readonly kind: 'done'; readonly seconds: number; readonly busySeconds: number }
  | ({ readonly kind: 'failed' } & Failure);

export type WorkerReply =
  | {
      readonly kind: 'loading';
      readonly place: ModelPlace;
      readonly bytes: number;
      readonly total: number | null;
    }
  | { readonly kind: 'loaded'; readonly place: ModelPlace; readonly facts: ModelFacts }
  | ({ readonly kind: 'unloadable'; readonly place: ModelPlace } & Failure)
  | { readonly kind: 'event'; readonly id: number; readonly event: UtteranceEvent };

/** Buckets of the waveform for each vector. */
export const PEAKS_PER_VECTOR = 16;
