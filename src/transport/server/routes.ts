/** What is answered at which path. */
import type { Access } from './access.js';
import type { FileOptions } from './engine.js';
import { RefusalError } from './errors.js';
import { noLiveStreams } from './live-runner.js';
import type { Metrics } from './metrics.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from './packages.js';
import type { WorkerPool } from './pool.js';
import { ROUTES } from './schemas.js';
import type { Sessions } from './sessions.js';
import type { ServerSettings } from './settings.js';

/** What routes work with. */
export interface RouteHost {
  readonly settings: ServerSettings;
  readonly pool: WorkerPool;
  readonly sessions: Sessions;
  readonly metrics: Metrics;
  readonly access: Access;
  /** Whether the server ends. */
  readonly isDraining: () => boolean;
  /** Counts files from the head of their request to the end of its answer. */
  readonly posts: InFlight;
}

/** How much of something is under way. */
export class InFlight {
  count = 0;

  /** One more, until `reply` is closed, by whomever. */
  add(reply: FastifyReply): void {
    this.count++;
    reply.raw.once('close', () => {
      this.count--;
    });
  }
}

/** Paths that need no token. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(['/health', '/ready']);
export const STREAM_PATH = '/v1/stream';
export const BODY_TYPES = ['application/octet-stream', 'application/vnd.acom'];

/** Of what is asked every few seconds, only trouble is logged. */
const QUIET = { logLevel: 'warn' } as const;
const JSON_TYPE = 'application/json; charset=utf-8';

/** Bytes in a buffer of their own, which can be given to a worker. */
const ownBytes = (body: Buffer): Uint8Array =>
  body.length === body.buffer.byteLength
    ? new Uint8Array(body.buffer as ArrayBuffer)
    : new Uint8Array(Uint8Array.from(body));

interface DecodeQuery {
  readonly codebooks?: number;
  readonly beam?: number;
}

export function addRoutes(app: FastifyInstance, host: RouteHost, hasPage: boolean): void {
  const { settings, pool, sessions, metrics, access } = host;

  /** Throws RefusalError where the server takes no work because it ends. */
  const requireOpen = (): void => {
    if (!host.isDraining()) return;
    throw new RefusalError('ACOM_CLOSING', 'this server ends: ask another one, or again in a moment', 1);
  };

  app.get('/health', { schema: ROUTES.health, ...QUIET }, async () => ({ status: 'alive' }));

  app.get('/ready', { schema: ROUTES.ready, ...QUIET }, async () => {
    requireOpen();
    if (!pool.isReady) throw new RefusalError('ACOM_BUSY', 'no worker is up', 1);
    return { status: 'ready' };
  });

  app.get('/metrics', { schema: ROUTES.metrics, ...QUIET }, async (_, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });

  app.get('/openapi.json', { schema: ROUTES.openapi }, async (_, reply) =>
    reply.type(JSON_TYPE).send(JSON.stringify(app.swagger())),
  );

  if (!hasPage) {
    app.get('/', { schema: ROUTES.welcome }, async () => ({
      name: 'acom: audio coding for machines',
      model: '/v1/model',
      documentation: '/openapi.json',
      page: 'not built here',
    }));
  }

  app.get('/v1/model', { schema: ROUTES.model }, async () => pool.model);

  let half: Promise<Uint8Array | null> | null = null;
  app.get('/v1/model/device.safetensors', { schema: ROUTES.device }, async (_, reply) => {
    half ??= settings.deviceHalf().catch((error: unknown) => {
      // The next one may try again.
      half = null;
      throw error;
    });
    const bytes = await half;
    if (bytes === null) {
      throw new RefusalError('ACOM_NOT_FOUND', "this server has not the device's half of its model");
    }
    return reply
      .type('application/octet-stream')
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  });

  app.post<{ Querystring: DecodeQuery }>(
    '/v1/decode',
    {
      schema: ROUTES.decode,
      onRequest: async (_, reply) => {
        requireOpen();
        host.posts.add(reply);
      },
    },
    async (request, reply) => {
      if (!Buffer.isBuffer(request.body)) {
        throw new RefusalError('ACOM_MEDIA_TYPE', `send the bytes of an .acom file as ${BODY_TYPES[0]}`);
      }
      return reply.type(JSON_TYPE).send(await decode(request, request.body, reply));
    },
  );

  async function decode(
    request: FastifyRequest<{ Querystring: DecodeQuery }>,
    body: Buffer,
    reply: FastifyReply,
  ): Promise<string> {
    const client = access.clientOf(request as FastifyRequest);
    client.requireDecode();
    const options: FileOptions = { ...request.query, mostSeconds: settings.limits.fileSeconds };
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    client.decodes++;
    try {
      return await pool.decode(ownBytes(body), options, gone.signal);
    } finally {
      client.decodes--;
    }
  }

  app.route({
    method: 'GET',
    url: STREAM_PATH,
    schema: ROUTES.stream,
    preHandler: async (request) => {
      if (!request.ws) return;
      requireOpen();
      if (!pool.model.live) throw noLiveStreams(pool.model);
      sessions.requireRoom(access.clientOf(request));
    },
    handler: (_: FastifyRequest, reply: FastifyReply): never => {
      void reply.header('upgrade', 'websocket');
      throw new RefusalError('ACOM_UPGRADE', 'this is for WebSockets: ask with ws:// or wss://');
    },
    wsHandler: (socket, request) => {
      sessions.begin(socket, access.clientOf(request));
    },
  });
}
