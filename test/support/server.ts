/** Servers with a fake engine, and clients that talk to them over real sockets. */
import { WebSocket } from 'ws';
import {
  type LimitName,
  type Server,
  type ServerOptions,
  startServer,
} from '../../src/transport/server/index.js';
import type { FakeOptions } from './fake-engine.js';

const FAKE_ENGINE = new URL('./fake-engine.js', import.meta.url);

/** Limits that tests do not meet by chance. */
const WIDE = { requestsPerSecond: 1e6, requestBurst: 1e6, messagesPerSecond: 1e6, messageBurst: 1e6 };

export type FakeServerOptions = Omit<Partial<ServerOptions>, 'engine' | 'limits'> & {
  readonly engine?: FakeOptions;
  readonly limits?: Readonly<Partial<Record<LimitName, number>>>;
};

/** A server with the fake engine at a free port, with one worker. */
export function startFake({ engine, limits, ...options }: FakeServerOptions = {}): Promise<Server> {
  return startServer({
    port: 0,
    workers: 1,
    logLevel: 'silent',
    ...options,
    engine: { module: FAKE_ENGINE, options: engine },
    limits: { ...WIDE, ...limits },
  });
}

/** The same for as long as a test lasts. */
export async function fakeServer(
  t: { teardown(work: () => Promise<void>): void },
  options: FakeServerOptions = {},
): Promise<Server> {
  const server = await startFake(options);
  t.teardown(() => server.close());
  return server;
}

/** Posts a file: its status, its JSON and its headers. */
export async function post(
  address: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Answer; readonly headers: Headers }> {
  const response = await fetch(`${address}/v1/decode`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/octet-stream', ...headers },
  });
  return { status: response.status, body: (await response.json()) as Answer, headers: response.headers };
}

/** What is looked at of an answer. */
export interface Answer {
  readonly text?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A message of the server in a stream. */
export interface StreamMessage {
  readonly type: string;
  readonly words?: readonly { readonly word: string }[];
  readonly partial?: string | null;
  readonly text?: string;
  readonly packets?: number;
  readonly lost?: number;
  readonly code?: string;
  readonly message?: string;
}

/** A client of a live stream, which keeps all that it is sent. */
export class LiveClient {
  readonly messages: StreamMessage[] = [];
  /** Close code and reason. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /** Wakes whoever waits for a message. */
  private wake: (() => void) | null = null;
  private isClosed = false;
  private read = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString('utf8')) as StreamMessage);
      this.wake?.();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((done) => {
      socket.on('close', (code, reason) => {
        this.isClosed = true;
        this.wake?.();
        done({ code, reason: reason.toString('utf8') });
      });
    });
  }

  /** Connects. Throws with the status and the body where the server refuses. */
  static connect(
    address: string,
    options: {
      readonly headers?: Record<string, string>;
      readonly protocols?: string[];
      readonly path?: string;
    } = {},
  ): Promise<LiveClient> {
    const { headers = {}, protocols = [], path = '/v1/stream' } = options;
    const socket = new WebSocket(`${address.replace('http', 'ws')}${path}`, protocols, { headers });
    const client = new LiveClient(socket);
    return new Promise((done, failed) => {
      socket.on('open', () => done(client));
      socket.on('error', failed);
      socket.on('unexpected-response', (_, response) => {
        let body = '';
        response.on('data', (part: Buffer) => {
          body += part.toString('utf8');
        });
        response.on('end', () => {
          const { error } = JSON.parse(body) as Answer;
          failed(
            Object.assign(new Error(error?.message), {
              status: response.statusCode,
              code: error?.code,
              headers: response.headers,
            }),
          );
        });
      });
    });
  }

  /** Connects and opens a stream. */
  static async open(
    address: string,
    opening: Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<LiveClient> {
    const client = await LiveClient.connect(address, { headers });
    client.send(opening);
    await client.next();
    return client;
  }

  send(...messages: readonly (Uint8Array | string)[]): void {
    for (const message of messages) this.socket.send(message);
  }

  /** The next message that was not taken yet. Throws where the stream closed before one came. */
  async next(): Promise<StreamMessage> {
    while (this.read >= this.messages.length) {
      if (this.isClosed) throw new Error('the stream is closed');
      await new Promise<void>((done) => {
        this.wake = done;
      });
    }
    return this.messages[this.read++]!;
  }

  /** The last message, when the stream is closed. */
  async last(): Promise<StreamMessage | undefined> {
    await this.closed;
    return this.messages.at(-1);
  }
}

export const END = JSON.stringify({ type: 'end' });

/** Waits until something holds; the test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((done) => setTimeout(done, 10));
}
