/** The page's worker: models, and the device half on whatever is heard; the cloud half too where the page answers itself. */
import type { DeviceEncoder } from '../codec/device-encoder.js';
import type { LiveDecoder } from '../codec/live-decoder.js';
import { type CodecModel, loadCodecModel } from '../codec/load.js';
import { crcText } from '../codec/model-file.js';
import { liveShape } from '../codec/streaming-encoder.js';
import { useThreads } from '../ops/dispatch.js';
import { AcomError, UsageError } from '../tensor/index.js';
import { download } from './download.js';
import type {
  Failure,
  ModelFacts,
  ModelPlace,
  SoundPiece,
  UtteranceEvent,
  WorkerReply,
  WorkerRequest,
} from './messages.js';
import { Utterance } from './utterance.js';

/** What of a dedicated worker's scope is used; the library of types has the page's only. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(reply: WorkerReply): void;
}

/** Sound of a recording that is encoded before other messages are looked at. */
const PIECE_SECONDS = 0.5;

const scope = globalThis as unknown as WorkerScope;
const models = new Map<ModelPlace, CodecModel>();
/** Utterances under way, with what ends them at once. */
const running = new Map<number, () => void>();

// Chunks are small: threads would cost more than they give.
useThreads(1);

const failureOf = (error: unknown): Failure =>
  error instanceof AcomError
    ? { code: error.code, message: error.message }
    : { code: 'ACOM_INTERNAL', message: error instanceof Error ? error.message : String(error) };

function factsOf(model: CodecModel, { coder }: DeviceEncoder): ModelFacts {
  const { config, fingerprint, part } = model;
  const { samplesPerVector, vectorsPerChunk } = liveShape(config);
  const { quantizer, labels } = config;
  return {
    name: config.name,
    fingerprint: crcText(fingerprint),
    sampleRate: coder.timing.sampleRate,
    codebooks: quantizer.codebooks,
    defaultCodebooks: quantizer.defaultCodebooks,
    codewords: quantizer.codewords,
    groups: coder.groups,
    secondsPerVector: samplesPerVector / coder.timing.sampleRate,
    vectorsPerChunk,
    mostPacketVectors: coder.mostPacketVectors,
    words: labels.filter((label) => !/^<.*>$/.test(label)),
    isWhole: part === 'whole',
  };
}

async function load(place: ModelPlace, url: string, token: string | null): Promise<void> {
  try {
    const bytes = await download(url, token, (bytes, total) =>
      scope.postMessage({ kind: 'loading', place, bytes, total }),
    );
    const model = await loadCodecModel(bytes);
    const facts = factsOf(model, await model.deviceEncoder());
    models.set(place, model);
    scope.postMessage({ kind: 'loaded', place, facts });
  } catch (error) {
    scope.postMessage({ kind: 'unloadable', place, ...failureOf(error) });
  }
}

type Begin = Extract<WorkerRequest, { readonly kind: 'begin' }>;

async function begin({ id, sound, settings }: Begin): Promise<void> {
  const tell = (event: UtteranceEvent) => scope.postMessage({ kind: 'event', id, event });
  let isOver = false;
  const over = () => {
    isOver = true;
    running.delete(id);
    if ('port' in sound) sound.port.close();
  };
  const guard = (work: () => void) => {
    if (isOver) return;
    try {
      work();
    } catch (error) {
      over();
      tell({ kind: 'failed', ...failureOf(error) });
    }
  };
  running.set(id, over);
  // Sound that comes while layers are loaded waits in the port.
  const utterance = await open(settings, sound.sampleRate, tell).catch((error: unknown) => {
    over();
    tell({ kind: 'failed', ...failureOf(error) });
    return null;
  });
  if (utterance === null) return;
  const end = () => {
    utterance.finish();
    over();
  };
  if ('port' in sound) {
    sound.port.onmessage = ({ data }: MessageEvent<SoundPiece>) =>
      guard(() => (data === null ? end() : utterance.push(data)));
    return;
  }
  const { samples, sampleRate } = sound;
  const piece = Math.ceil(PIECE_SECONDS * sampleRate);
  for (let from = 0; from < samples.length && !isOver; from += piece) {
    guard(() => utterance.push(samples.subarray(from, from + piece)));
    await nextTask();
  }
  guard(end);
}

async function open(
  settings: Begin['settings'],
  sampleRate: number,
  tell: (event: UtteranceEvent) => void,
): Promise<Utterance> {
  const model = models.get(settings.place);
  if (model === undefined) throw new UsageError('the model is not loaded yet');
  const encoder = await model.deviceEncoder();
  const decoder: LiveDecoder | null = settings.answer ? (await model.cloudDecoder()).live() : null;
  return new Utterance(encoder, decoder, sampleRate, settings, tell);
}

/** Lets waiting messages be heard. */
const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

scope.onmessage = ({ data }) => {
  if (data.kind === 'load') void load(data.place, data.url, data.token);
  else if (data.kind === 'begin') void begin(data);
  else running.get(data.id)?.();
};
