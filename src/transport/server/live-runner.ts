/** The live streams of one worker: batches in, texts for clients out. */
import { textOf, type Word } from '../../tasks/recognition.js';
import { AcomError } from '../../tensor/index.js';
import { secondsNow } from './clients.js';
import type { ModelFacts } from './engine.js';
import { factsOf, RefusalError } from './errors.js';
import type { LiveDecoder, LiveDecoding, LiveUpdate } from './live.js';
import type { AudioLimits, LiveAnswer, LiveEntry } from './protocol.js';
import { TokenBucket } from './token-bucket.js';

interface OpenStream {
  readonly decoding: LiveDecoding;
  /** All final words so far. */
  readonly words: Word[];
  /** Seconds of sound so far, and those that may yet come. */
  seconds: number;
  readonly audio: TokenBucket;
}

/** The last text of a stream: because it ended, or because the server does. */
type Ending = 'final' | 'closing';

const updateText = ({ words, partial, packets, lost, seconds }: LiveUpdate): string =>
  JSON.stringify({ type: 'update', words, partial, packets, lost, seconds });

export class LiveRunner {
  private readonly open = new Map<number, OpenStream>();

  constructor(
    private readonly decoder: LiveDecoder,
    private readonly model: ModelFacts,
    private readonly limits: AudioLimits,
    /** Told of errors that are not AcomErrors. */
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  /** Streams that are open. */
  get size(): number {
    return this.open.size;
  }

  drop(streams: readonly number[]): void {
    for (const stream of streams) this.open.delete(stream);
  }

  /** Does what entries say, packets of all streams in one batch; an answer for each. */
  run(entries: readonly LiveEntry[], bytes: ArrayBuffer): LiveAnswer[] {
    const answers = new Array<LiveAnswer>(entries.length);
    const packets: { at: number; number: number; stream: OpenStream; message: Uint8Array }[] = [];
    let offset = 0;
    for (const [at, { stream: number, operation, length }] of entries.entries()) {
      const message = new Uint8Array(bytes, offset, length);
      offset += length;
      const stream = this.open.get(number);
      if (operation === 'open') {
        answers[at] = this.guarded(number, () => this.begin(number, message));
      } else if (stream === undefined) {
        answers[at] = this.failed(number, new Error(`internal: stream ${number} is not open`));
      } else if (operation === 'packet') packets.push({ at, number, stream, message });
      else answers[at] = this.guarded(number, () => this.end(number, stream, operation));
    }
    if (packets.length > 0) {
      const results = this.receive(
        packets.map(({ stream, message }) => ({ stream: stream.decoding, message })),
      );
      for (const [i, { at, number, stream }] of packets.entries()) {
        answers[at] = this.answer(number, stream, results[i]);
      }
    }
    return answers;
  }

  private receive(batch: Parameters<LiveDecoder['receiveAll']>[0]): (LiveUpdate | unknown)[] {
    try {
      return this.decoder.receiveAll(batch);
    } catch (error) {
      // Which streams took their message is not known any more.
      return batch.map(() => error);
    }
  }

  private begin(number: number, opening: Uint8Array): LiveAnswer {
    const { audioPerSecond, audioBurst } = this.limits;
    this.open.set(number, {
      decoding: this.decoder.open(opening),
      words: [],
      seconds: 0,
      audio: new TokenBucket(audioPerSecond, audioBurst, secondsNow()),
    });
    const { name, fingerprint } = this.model;
    return {
      messages: [JSON.stringify({ type: 'ready', model: name, fingerprint })],
      done: false,
      error: null,
    };
  }

  private answer(number: number, stream: OpenStream, result: unknown): LiveAnswer {
    if (!isUpdate(result)) return this.failed(number, result);
    stream.words.push(...result.words);
    const update = updateText(result);
    if (result.done) return this.over(number, stream, [update], result, 'final');
    const brought = result.seconds - stream.seconds;
    stream.seconds = result.seconds;
    if (stream.audio.take(brought, secondsNow())) return { messages: [update], done: false, error: null };
    const { audioPerSecond, audioBurst } = this.limits;
    return this.failed(
      number,
      new RefusalError(
        'ACOM_RATE',
        `more than ${audioBurst} s of audio at once, or ${audioPerSecond} s a second, in one stream: ` +
          'send sound as it is heard, and whole recordings as files',
      ),
    );
  }

  private end(number: number, stream: OpenStream, how: Ending): LiveAnswer {
    const update = stream.decoding.finish();
    stream.words.push(...update.words);
    const messages = update.words.length > 0 ? [updateText(update)] : [];
    return this.over(number, stream, messages, update, how);
  }

  private over(
    number: number,
    { words }: OpenStream,
    messages: readonly string[],
    { packets, lost, seconds }: LiveUpdate,
    type: Ending,
  ): LiveAnswer {
    this.open.delete(number);
    const last = JSON.stringify({ type, text: textOf(words), words, packets, lost, seconds });
    return { messages: [...messages, last], done: true, error: null };
  }

  private guarded(number: number, work: () => LiveAnswer): LiveAnswer {
    try {
      return work();
    } catch (error) {
      return this.failed(number, error);
    }
  }

  private failed(number: number, error: unknown): LiveAnswer {
    this.open.delete(number);
    if (!(error instanceof AcomError)) this.onTrouble(error);
    return { messages: [], done: false, error: factsOf(error) };
  }
}

const isUpdate = (result: unknown): result is LiveUpdate =>
  typeof result === 'object' && result !== null && !(result instanceof Error) && 'done' in result;

/** The refusal of live streams by a model that has none. */
export const noLiveStreams = ({ name, task }: ModelFacts): RefusalError =>
  new RefusalError(
    'ACOM_NOT_FOUND',
    task === 'classification'
      ? `${name} classifies: it has no live streams; post whole files to /v1/decode`
      : `${name} has no live streams here: post whole files to /v1/decode`,
  );
