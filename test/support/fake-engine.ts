/**
 * An engine for tests of the server: it does what bytes say, good or bad, and knows no codec. Files are text: a word and
 * its argument. Streams begin with OPENING; the first byte of each packet says what comes of it.
 */
import {
  type AcomError,
  CorruptStreamError,
  FormatError,
  ModelMismatchError,
} from '../../src/tensor/index.js';
import type { CreateEngine, LiveDecoding, LiveUpdate, ModelFacts } from '../../src/transport/server/index.js';

export const FAKE_MODEL: ModelFacts = {
  name: 'fake',
  task: 'recognition',
  fingerprint: '0badcafe',
  sampleRate: 8000,
  codebooks: 4,
  codewords: 16,
  defaultCodebooks: 2,
  vectorsPerSecond: 5,
  splitLayer: 1,
  labels: ['', 'yes', 'no'],
  licence: 'none',
  live: true,
  others: [],
};

export const OPENING = Uint8Array.of(0xa0);
/** An opening of another model. */
export const FOREIGN = Uint8Array.of(0xb0);
export const PACKET = {
  /** Nothing new. */
  silence: 0,
  /** A word: the rest of the packet. */
  word: 1,
  /** The last packet of its stream. */
  last: 2,
  /** One was lost before it. */
  gap: 3,
  /** Works for as many times four milliseconds as the next byte says. */
  slow: 0x10,
  /** Answers with a word of as many kilobytes as the next byte says. */
  long: 0x20,
  loop: 0xf0,
  crash: 0xf1,
  exit: 0xf2,
  /** An error that nobody thought of, for this stream. */
  mistake: 0xf3,
  /** The same for the whole batch. */
  batchMistake: 0xf4,
} as const;

export const packet = (kind: keyof typeof PACKET, rest: string | number = ''): Uint8Array => {
  const tail = typeof rest === 'number' ? [rest] : [...rest].map((letter) => letter.charCodeAt(0));
  return Uint8Array.of(PACKET[kind], ...tail);
};
export const word = (text: string): Uint8Array => packet('word', text);

function busy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const crashSoon = (): void => {
  setImmediate(() => {
    throw new Error('a crash that was asked for');
  });
};

class FakeStream implements LiveDecoding {
  private packets = 0;
  private lost = 0;

  constructor(private readonly batchSize: () => number) {}

  receive(message: Uint8Array): LiveUpdate {
    const text = String.fromCharCode(...message.subarray(1));
    this.packets++;
    switch (message[0]) {
      case PACKET.silence:
        return this.update([]);
      case PACKET.word:
        return this.update([text]);
      case PACKET.last:
        return this.update([], true);
      case PACKET.gap:
        this.lost++;
        return this.update([]);
      case PACKET.slow:
        busy(4 * message[1]!);
        return this.update([]);
      case PACKET.long:
        return this.update(['x'.repeat(1024 * message[1]!)]);
      case PACKET.loop:
        for (;;);
      case PACKET.crash:
        crashSoon();
        busy(5);
        return this.update([]);
      case PACKET.exit:
        return process.exit(7);
      case PACKET.mistake:
        throw new TypeError('a secret of the server');
      default:
        throw new CorruptStreamError(`packet ${this.packets} is damaged`);
    }
  }

  finish(): LiveUpdate {
    return this.update(['end'], true);
  }

  private update(words: readonly string[], done = false): LiveUpdate {
    const at = this.packets;
    return {
      words: words.map((text) => ({ word: text, start: at, end: at + 0.5, confidence: 0.5 })),
      partial: `batch of ${this.batchSize()}`,
      lost: this.lost,
      packets: this.packets,
      seconds: this.packets,
      done,
    };
  }
}

async function decodeFile(text: string, turn: () => Promise<void>): Promise<string> {
  const [command = '', ...rest] = text.split(' ');
  const argument = rest.join(' ');
  switch (command) {
    case 'say':
      return argument;
    case 'format':
      throw new FormatError('fake file', 'it is malformed', 0);
    case 'corrupt':
      throw new CorruptStreamError('the file is damaged');
    case 'foreign':
      throw new ModelMismatchError('the file is of another model');
    case 'turns':
      // So many milliseconds in pieces.
      for (let left = Number(argument); left > 0; left -= 5) {
        busy(5);
        await turn();
      }
      return 'done';
    case 'block':
      busy(Number(argument));
      return 'done';
    case 'loop':
      for (;;);
    case 'crash':
      crashSoon();
      return new Promise(() => undefined);
    case 'exit':
      return process.exit(7);
    case 'memory': {
      const kept: number[][] = [];
      for (;;) kept.push(new Array<number>(100_000).fill(Math.random()));
    }
    case 'mistake':
      throw new TypeError('a secret of the server');
    default:
      throw new FormatError('fake file', 'this is no command', 0);
  }
}

/** `options`: facts that differ from FAKE_MODEL, or how it fails to load. */
export interface FakeOptions {
  readonly model?: Partial<ModelFacts>;
  readonly unfit?: 'typed' | 'untyped' | 'crash';
}

export const createEngine: CreateEngine = async (options) => {
  const { model: given = {}, unfit } = (options ?? {}) as FakeOptions;
  if (unfit === 'typed') throw new FormatError('fake model', 'it is malformed');
  if (unfit === 'untyped') throw new TypeError('a mistake');
  if (unfit === 'crash') process.exit(3);
  const model = { ...FAKE_MODEL, ...given };
  let size = 0;
  return {
    model,
    async decode(bytes, { codebooks = 4 }, turn) {
      const text = await decodeFile(new TextDecoder().decode(bytes), turn);
      return { text, words: [], seconds: 1, codebooks, missing: [], warnings: [] };
    },
    live: model.live
      ? {
          open(opening) {
            if (opening[0] === FOREIGN[0]) throw new ModelMismatchError('the stream is of another model');
            if (opening[0] !== OPENING[0]) throw new FormatError('fake stream', 'this is no opening', 0);
            return new FakeStream(() => size);
          },
          receiveAll(batch) {
            size = batch.length;
            if (batch.some(({ message }) => message[0] === PACKET.batchMistake)) throw new Error('a mistake');
            return batch.map(({ stream, message }): LiveUpdate | AcomError => {
              try {
                return stream.receive(message);
              } catch (error) {
                return error as AcomError;
              }
            });
          },
        }
      : null,
  };
};
