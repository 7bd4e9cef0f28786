/** The page's side of its worker. */
import type {
  ModelFacts,
  ModelPlace,
  Sound,
  UtteranceEvent,
  UtteranceSettings,
  WorkerReply,
  WorkerRequest,
} from './messages.js';
import { PageError } from './page-error.js';

type Waiting = { readonly resolve: (facts: ModelFacts) => void; readonly reject: (error: PageError) => void };

export class Engine {
  private readonly worker = new Worker(new URL('worker.js', document.baseURI), { type: 'module' });
  private readonly waiting = new Map<ModelPlace, Waiting>();
  private readonly listeners = new Map<number, (event: UtteranceEvent) => void>();
  private utterances = 0;

  /** `onProgress` hears the share of a model that has come; null where its length is not known. */
  constructor(private readonly onProgress: (share: number | null) => void) {
    this.worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => this.hear(data);
    this.worker.onerror = (event) => {
      const message = `The part of this page that computes has failed (${event.message}). Load the page again.`;
      for (const { reject } of this.waiting.values()) reject(new PageError(message));
      const failed = [...this.listeners.values()];
      this.listeners.clear();
      for (const listener of failed) listener({ kind: 'failed', code: 'ACOM_INTERNAL', message });
    };
  }

  /** Loads a model. Rejects with PageError where it can't be had. */
  load(place: ModelPlace, url: URL, token: string | null): Promise<ModelFacts> {
    return new Promise((resolve, reject) => {
      this.waiting.set(place, { resolve, reject });
      this.ask({ kind: 'load', place, url: url.href, token });
    });
  }

  /** Begins an utterance; gives what ends it at once. */
  begin(sound: Sound, settings: UtteranceSettings, listener: (event: UtteranceEvent) => void): () => void {
    const id = this.utterances++;
    this.listeners.set(id, listener);
    this.ask({ kind: 'begin', id, sound, settings }, ['port' in sound ? sound.port : sound.samples.buffer]);
    return () => {
      this.listeners.delete(id);
      this.ask({ kind: 'cancel', id });
    };
  }

  private ask(request: WorkerRequest, transfer: Transferable[] = []): void {
    this.worker.postMessage(request, transfer);
  }

  private hear(reply: WorkerReply): void {
    if (reply.kind === 'event') {
      const listener = this.listeners.get(reply.id);
      if (reply.event.kind === 'done' || reply.event.kind === 'failed') this.listeners.delete(reply.id);
      listener?.(reply.event);
      return;
    }
    const { place } = reply;
    if (reply.kind === 'loading') {
      this.onProgress(reply.total === null ? null : reply.bytes / reply.total);
      return;
    }
    const waiting = this.waiting.get(place);
    this.waiting.delete(place);
    if (reply.kind === 'loaded') waiting?.resolve(reply.facts);
    else waiting?.reject(new PageError(reply.message));
  }
}
