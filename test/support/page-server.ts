/**
 * A small server for tests of the page: its files, GET /v1/model and the WebSocket /v1/stream with the real decoder, on one port
 * of this machine. What it was sent is kept.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { type CodecModel, loadCodecModel } from '../../src/codec/index.js';
import type { LiveDecoding } from '../../src/codec/live-decoder.js';
import type { Word } from '../../src/tasks/recognition.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wav': 'audio/wav',
};

/** One stream as it came. */
export interface SeenStream {
  readonly protocols: string;
  /** Messages: the opening, then packets. */
  readonly messages: Buffer[];
  /** Bytes that came over the connection after its handshake, up to the last message. */
  wireBytes: number;
  readonly words: Word[];
  readonly socket: WebSocket;
}

export interface PageServerOptions {
  readonly folder: string;
  readonly modelFile: string;
  /** Wants this token for everything but the page's files. */
  readonly token?: string;
  /** No /v1 at all, as on a host of files. */
  readonly filesOnly?: boolean;
  readonly port?: number;
}

export class PageServer {
  readonly streams: SeenStream[] = [];
  /** Paths of everything that was asked for, with the status that was answered. */
  readonly requests: string[] = [];
  /** Takes packets, but says nothing to them. */
  isSilent = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly model: CodecModel,
    private readonly options: PageServerOptions,
  ) {}

  static async start(options: PageServerOptions): Promise<PageServer> {
    const model = await loadCodecModel(options.modelFile);
    const http = createServer();
    const server = new PageServer(http, model, options);
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://localhost:${this.port}/`;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Gone at once, connections and all. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async listen(): Promise<void> {
    const { server, options } = this;
    const streams = new WebSocketServer({ noServer: true });
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    server.on('request', async (request, response) => {
      const [status, type, body] = await this.answer(request);
      this.requests.push(`${status} ${request.url}`);
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' }).end(body);
    });
    server.on('upgrade', (request, socket, head) => {
      if (options.filesOnly || !this.isAllowed(request)) {
        socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      streams.handleUpgrade(request, socket, head, (webSocket) => {
        this.serve(webSocket, request);
      });
    });
    await new Promise<void>((resolve) => server.listen(options.port ?? 0, 'localhost', resolve));
  }

  private isAllowed({ headers }: IncomingMessage): boolean {
    const { token } = this.options;
    if (token === undefined || headers.authorization === `Bearer ${token}`) return true;
    const bearer = /bearer\.([\w-]+)/.exec(headers['sec-websocket-protocol'] ?? '')?.[1];
    return bearer !== undefined && Buffer.from(bearer, 'base64url').toString() === token;
  }

  private async answer(request: IncomingMessage): Promise<[number, string, Buffer | string]> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const json = (status: number, value: unknown): [number, string, string] => [
      status,
      'application/json',
      JSON.stringify(value),
    ];
    const { filesOnly, folder } = this.options;
    if (pathname.startsWith('/v1/') && !filesOnly) {
      if (!this.isAllowed(request)) return json(401, { error: { code: 'ACOM_UNAUTHORIZED', message: 'no' } });
      const { name } = this.model.config;
      const fingerprint = this.model.fingerprint.toString(16).padStart(8, '0');
      if (pathname === '/v1/model') return json(200, { name, fingerprint, live: true });
      if (pathname === '/v1/model/device.safetensors') {
        const { device } = await this.model.split();
        return [200, 'application/octet-stream', Buffer.from(device)];
      }
      return json(404, { error: { code: 'ACOM_NOT_FOUND', message: 'nothing here' } });
    }
    const path = join(folder, pathname === '/' ? 'index.html' : normalize(pathname));
    if (!existsSync(path)) return [404, 'text/html', '<title>Not found</title>'];
    return [200, TYPES[extname(path)] ?? 'application/octet-stream', readFileSync(path)];
  }

  private async serve(socket: WebSocket, { socket: connection, headers }: IncomingMessage): Promise<void> {
    const { bytesRead } = connection;
    const stream: SeenStream = {
      protocols: String(headers['sec-websocket-protocol']),
      messages: [],
      wireBytes: 0,
      words: [],
      socket,
    };
    this.streams.push(stream);
    const say = (message: object) => socket.send(JSON.stringify(message));
    let decoding: LiveDecoding | null = null;
    const decoder = this.model.cloudDecoder().then((cloud) => cloud.live());
    let last = Promise.resolve();
    socket.on('message', (data: Buffer) => {
      stream.messages.push(data);
      stream.wireBytes = connection.bytesRead - bytesRead;
      last = last.then(async () => {
        if (decoding === null) {
          decoding = (await decoder).open(data);
          say({ type: 'ready', model: this.model.config.name });
          return;
        }
        const { done, ...update } = decoding.receive(data);
        stream.words.push(...update.words);
        if (this.isSilent) return;
        say({ type: 'update', ...update });
        if (!done) return;
        say({ type: 'final', text: '', words: stream.words });
        socket.close(1000);
      });
    });
  }
}
