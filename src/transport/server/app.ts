/** The HTTP server: Fastify with its plugins, who may come in, and every refusal in one form. */
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { Access } from './access.js';
import { Clients } from './clients.js';
import { factsOf, RefusalError } from './errors.js';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, loadPackages } from './packages.js';
import { addRoutes, BODY_TYPES, OPEN_PATHS, type RouteHost, STREAM_PATH } from './routes.js';
import { SCHEMAS } from './schemas.js';
import { SUBPROTOCOL } from './tokens.js';

/** What Fastify's own errors are in our words. */
const FASTIFY_CODES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'ACOM_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'ACOM_MEDIA_TYPE',
};
/** Longer messages of a stream than `messageBytes` are refused with a reason, up to this factor; above, without. */
const HARD_FACTOR = 4;
const MILLISECONDS = 1000;
/** A client that does not answer the end of its stream has this long. */
const CLOSE_SECONDS = 3;

function refusalFrom(error: unknown): RefusalError {
  if (error instanceof RefusalError) return error;
  const { code = '', statusCode = 500, message } = error as { code?: string; statusCode?: number } & Error;
  if (code in FASTIFY_CODES) return new RefusalError(FASTIFY_CODES[code]!, message);
  if (statusCode >= 400 && statusCode < 500) return new RefusalError('ACOM_USAGE', message);
  const { code: own, message: said } = factsOf(error);
  return new RefusalError(own, said);
}

function answerError(reply: FastifyReply, refusal: RefusalError): FastifyReply {
  const { status, code, message, retrySeconds } = refusal;
  if (retrySeconds !== undefined) void reply.header('retry-after', retrySeconds);
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="acom"');
  // The rest of a body is not waited for, and a server that ends wants no more requests.
  if (status === 413 || code === 'ACOM_CLOSING') void reply.header('connection', 'close');
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: { code, message } }));
}

/** Status and words about what never became a request, by Node's codes. */
const NO_REQUEST: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'ACOM_IDLE', 'the request did not come in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'ACOM_TOO_LARGE', 'its head is too long'],
};

function answerNoRequest({ code }: { readonly code?: string }, socket: Socket): void {
  const [status, own, message] = NO_REQUEST[code ?? ''] ?? [
    '400 Bad Request',
    'ACOM_USAGE',
    'this is no HTTP request',
  ];
  const body = JSON.stringify({ error: { code: own, message } });
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}

/** An HTTP server that does not listen yet. */
export async function createApp(host: Omit<RouteHost, 'access'>): Promise<FastifyInstance> {
  const { settings, metrics } = host;
  const { limits, logLevel, logTo, trustProxy, pageFolder, publicPage } = settings;
  const { fastify, websocket, swagger, files } = await loadPackages();
  const access = new Access(settings, new Clients(limits));

  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const refusal = refusalFrom(error);
    if (refusal.status >= 500 && refusal !== error) request.log.error(error);
    metrics.errors.inc({ code: refusal.code });
    return answerError(reply, refusal);
  };

  const app: FastifyInstance = fastify({
    logger: { level: logLevel, stream: logTo },
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestSeconds * MILLISECONDS,
    http: {
      headersTimeout: limits.headersSeconds * MILLISECONDS,
      requestTimeout: limits.requestSeconds * MILLISECONDS,
      connectionsCheckingInterval: 1000,
    },
    // The nearest proxy alone: what stands further left in X-Forwarded-For is what clients say.
    trustProxy: trustProxy ? (_, hop) => hop === 0 : false,
    exposeHeadRoutes: false,
    ajv: { customOptions: { removeAdditional: false } },
    return503OnClosing: false,
    // A path that is no path is not known either: who has no token hears of the token.
    frameworkErrors: (error, request, reply) => {
      try {
        access.admit(request as FastifyRequest);
      } catch (refusal) {
        void refuse(refusal, request as FastifyRequest, reply as FastifyReply);
        return;
      }
      void refuse(error, request as FastifyRequest, reply as FastifyReply);
    },
    clientErrorHandler: (error, socket) => answerNoRequest(error, socket),
  });
  app.server.maxConnections = limits.connections;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BODY_TYPES, { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  for (const [name, schema] of Object.entries(SCHEMAS)) app.addSchema({ $id: name, ...schema });
  app.setErrorHandler(refuse);
  app.setNotFoundHandler((request, reply) =>
    refuse(
      new RefusalError('ACOM_NOT_FOUND', 'there is nothing at this path: see /openapi.json'),
      request,
      reply,
    ),
  );

  const sockets = {
    maxPayload: HARD_FACTOR * limits.messageBytes,
    closeTimeout: CLOSE_SECONDS * MILLISECONDS,
    handleProtocols: (offered: ReadonlySet<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
  await app.register(websocket, {
    options: sockets,
    // Streams are ended before the server is.
    preClose: (done) => done(),
    // What is no WebSocket message has closed the socket already.
    errorHandler: () => undefined,
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'acom',
        description: 'Decodes what devices encoded: .acom files and live streams to words or labels.',
        version: '1',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    refResolver: { buildLocalReference: (json) => String(json['$id']) },
  });

  const isPublic = (request: FastifyRequest): boolean => {
    const { url, config } = request.routeOptions;
    if (url !== undefined && OPEN_PATHS.has(url)) return true;
    return publicPage && (config as { readonly page?: boolean }).page === true;
  };
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!request.ws && isPublic(request)) return;
    access.admit(request);
    if (request.ws && request.routeOptions.url !== STREAM_PATH) {
      throw new RefusalError('ACOM_NOT_FOUND', `WebSockets are for ${STREAM_PATH}`);
    }
  });
  app.addHook('onResponse', async (request, reply) => {
    const { url: route = 'unknown' } = request.routeOptions;
    metrics.requests.inc({ route, method: request.method, status: String(reply.statusCode) });
  });

  const page = pageFolder !== null && existsSync(pageFolder) ? pageFolder : null;
  addRoutes(app, { ...host, access }, page !== null);
  if (page !== null) {
    await app.register(async (inner) => {
      inner.addHook('onRoute', (route) => {
        route.config = { ...route.config, page: true } as NonNullable<typeof route.config>;
      });
      // A route for each file, so that what is no file is known to be none.
      await inner.register(files, { root: page, wildcard: false });
    });
  }
  await app.ready();
  return app;
}
