/** The engine that decodes with codec models: runs in worker threads. */
import { parseHeader } from '../../bitstream/header.js';
import { cloudClassifierOf } from '../../codec/load-classifier.js';
import { cloudDecoderOf } from '../../codec/load-cloud.js';
import { loadCloudHalf } from '../../codec/load-suffix.js';
import { crcText } from '../../codec/model-file.js';
import { type NetworkWork, runElsewhere } from '../../codec/network-work.js';
import { type OpenModel, openModel } from '../../codec/open-model.js';
import type { StreamCoder } from '../../codec/stream-coder.js';
import { VectorLayout } from '../../codec/vector-layout.js';
import type { Suffix } from '../../nn/network.js';
import { AcomError, UsageError, zeros } from '../../tensor/index.js';
import type { CreateEngine, Engine, FileOptions, ModelFacts } from './engine.js';
import { RefusalError } from './errors.js';
import type { LiveDecoder } from './live.js';

export interface ModelEngineOptions {
  /** Path or URL of a codec model, whole or its cloud half. */
  readonly model: string;
  /** The same of other models, whose files are decoded as well; live streams are of the first alone. */
  readonly others?: readonly string[];
}

/** Runs work with the network, and waits for a turn behind each of its passes. */
function inTurns<R>(work: NetworkWork<R>, suffix: Suffix, turn: () => Promise<void>): Promise<R> {
  return runElsewhere(work, async (x) => {
    const y = suffix.forward(x);
    // Outside scopes it is an array of its own, so passes for live streams may run before it is read.
    await turn();
    return y;
  });
}

function requireShort(bytes: Uint8Array, { mostSeconds }: FileOptions, coder: StreamCoder): void {
  const seconds = coder.timing.seconds(parseHeader(bytes).header.samples);
  if (seconds <= mostSeconds) return;
  throw new RefusalError(
    'ACOM_TOO_LARGE',
    `the file says that it holds ${Math.round(seconds)} s of audio, and ${mostSeconds} s are allowed: send it in parts`,
  );
}

/** What the decoder of a file needs besides bytes. */
interface FileDecoder {
  readonly coder: StreamCoder;
  readonly decode: Engine['decode'];
  /** Null where the model wants whole recordings. */
  readonly live: LiveDecoder | null;
}

/** Streams of a batch, and batches, with which the network is compiled before the first packet comes. */
const WARM_UP = { streams: [1, 4, 16, 64], rounds: 24 };

/** Runs chunks of nothing: the first second of a thousand streams would wait for the compiler otherwise. */
function warmUp(chunks: NonNullable<Suffix['chunks']>, width: number): void {
  for (const streams of WARM_UP.streams) {
    const memories = Array.from({ length: streams }, () => chunks.memory());
    const x = zeros([streams, chunks.steps, width]);
    for (let round = 0; round < WARM_UP.rounds; round++) chunks.forward(x, memories);
  }
}

async function fileDecoderOf(model: OpenModel): Promise<FileDecoder> {
  const { name, task } = model.codec;
  const { suffix } = await loadCloudHalf(model, task);
  if (task === 'recognition') {
    const decoder = await cloudDecoderOf(model);
    if (suffix.chunks) {
      const { bands, channels } = new VectorLayout(model.codec).shape;
      warmUp(suffix.chunks, bands * channels);
    }
    return {
      coder: decoder.coder,
      live: suffix.chunks ? decoder.live() : null,
      decode(bytes, { mostSeconds: _, ...options }, turn) {
        return inTurns(decoder.decoding(bytes, options), suffix, turn);
      },
    };
  }
  const classifier = await cloudClassifierOf(model);
  return {
    coder: classifier.coder,
    live: null,
    async decode(bytes, { mostSeconds: _, beam, ...options }, turn) {
      if (beam !== undefined) throw new UsageError(`${name} classifies: there is no beam to search with`);
      return inTurns(classifier.classifying(bytes, options), suffix, turn);
    },
  };
}

function factsAbout(model: OpenModel, coder: StreamCoder, live: boolean): Omit<ModelFacts, 'others'> {
  const { name, task, frontEnd, quantizer, splitLayer, labels, licence } = model.codec;
  return {
    name,
    task,
    fingerprint: crcText(model.header.fingerprint),
    sampleRate: frontEnd.sampleRate,
    codebooks: quantizer.codebooks,
    codewords: quantizer.codewords,
    defaultCodebooks: quantizer.defaultCodebooks,
    vectorsPerSecond: coder.timing.vectorsPerSecond,
    splitLayer,
    labels,
    licence,
    live,
  };
}

/** Opens a model; errors name where it is from. */
async function open(source: string): Promise<{ readonly model: OpenModel; readonly files: FileDecoder }> {
  try {
    const model = await openModel(source);
    return { model, files: await fileDecoderOf(model) };
  } catch (error) {
    if (error instanceof AcomError && !error.message.includes(source)) {
      error.message = `${source}: ${error.message}`;
    }
    throw error;
  }
}

export const createEngine: CreateEngine = async (options) => {
  const { model, others = [] } = options as ModelEngineOptions;
  const main = await open(model);
  const all = [main, ...(await Promise.all(others.map(open)))];
  const byFingerprint = new Map(all.map(({ files }) => [files.coder.fingerprint, files]));
  return {
    model: {
      ...factsAbout(main.model, main.files.coder, main.files.live !== null),
      others: all.slice(1).map((each) => {
        const { name, task, fingerprint } = factsAbout(each.model, each.files.coder, false);
        return { name, task, fingerprint };
      }),
    },
    decode: async (bytes, fileOptions, turn) => {
      // A file of no model that is known here: the first one says so.
      const files = byFingerprint.get(parseHeader(bytes).header.fingerprint) ?? main.files;
      requireShort(bytes, fileOptions, files.coder);
      return files.decode(bytes, fileOptions, turn);
    },
    live: main.files.live,
  };
};
