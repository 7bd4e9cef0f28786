/** What is evaluated: a network as it is, and where it has codebooks both halves of it, with the stream between them. */
import {
  isCodec,
  loadCodecModel,
  loadNetworkModel,
  type ModelSource,
  type NetworkModelConfig,
} from '../codec/index.js';
import type { DecodingOptions } from '../tasks/index.js';
import { UsageError } from '../tensor/index.js';

/** Takes a recording in pieces and gives what was made of it. */
interface Pieces<R> {
  push(samples: Float32Array): void;
  finish(): R;
}

/** The halves of a codec model. */
interface Halves {
  encode(sampleRate: number): Pieces<Uint8Array>;
  /** What the cloud makes of a stream: words, or a label. */
  decode(bytes: Uint8Array): string;
  /** Indices of a stream, vector after vector. */
  indices(bytes: Uint8Array): number[];
  /** The stream with only its first k codebooks. */
  truncate(bytes: Uint8Array, k: number): Uint8Array;
}

export interface Subject {
  readonly config: NetworkModelConfig;
  /** Of the model's file. */
  readonly fingerprint: number;
  /** Without split and quantiser: words, or a label. */
  uncut(sampleRate: number): Pieces<string>;
  /** Null where there are no codebooks. */
  readonly halves: Halves | null;
}

const mapped = <A, B>(pieces: Pieces<A>, map: (result: A) => B): Pieces<B> => ({
  push: (samples) => pieces.push(samples),
  finish: () => map(pieces.finish()),
});

/** Opens a codec model or a network; throws as `loadNetworkModel` does, and UsageError for a beam without words. */
export async function openSubject(source: ModelSource, decoding: DecodingOptions = {}): Promise<Subject> {
  const network = await loadNetworkModel(source);
  const { config, fingerprint } = network;
  const isRecogniser = config.task === 'recognition';
  if (!isRecogniser && decoding.beam !== undefined) {
    throw new UsageError(`${config.name} classifies: there is no beam to search with`);
  }
  const codec = isCodec(config) ? await loadCodecModel(source) : null;
  // One model for both, so that no half is in memory twice.
  const model = codec ?? network;
  let uncut: Subject['uncut'];
  if (isRecogniser) {
    const recognizer = await model.uncutRecognizer();
    uncut = (sampleRate) => mapped(recognizer.stream(sampleRate, decoding), ({ text }) => text);
  } else {
    const classifier = await model.uncutClassifier();
    uncut = (sampleRate) => mapped(classifier.stream(sampleRate), ({ label }) => label ?? '');
  }
  if (codec === null) return { config, fingerprint, uncut, halves: null };
  const encoder = await codec.deviceEncoder();
  const { coder } = encoder;
  const { codebooks } = codec.config.quantizer;
  let decode: Halves['decode'];
  if (isRecogniser) {
    const decoder = await codec.cloudDecoder();
    decode = (bytes) => decoder.decode(bytes, decoding).text;
  } else {
    const classifier = await codec.cloudClassifier();
    decode = (bytes) => classifier.classify(bytes).label ?? '';
  }
  const halves: Halves = {
    encode: (sampleRate) => encoder.stream(sampleRate, { codebooks }),
    decode,
    indices: (bytes) => [...coder.read(bytes).indices.data],
    truncate: (bytes, k) => coder.truncate(bytes, k),
  };
  return { config, fingerprint, uncut, halves };
}
