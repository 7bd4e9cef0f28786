/** Fastify and its plugins: optional peers that only this file imports, and only when a server starts. */
import { MissingPackageError } from '../../tensor/index.js';

export type { WebSocket } from '@fastify/websocket';
export type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** All that a server needs, so that who lacks one hears of all at once. */
export const SERVER_PACKAGES = 'fastify @fastify/websocket @fastify/swagger @fastify/static prom-client';

export async function loadPackages() {
  try {
    const [{ fastify }, websocket, swagger, files] = await Promise.all([
      import('fastify'),
      import('@fastify/websocket'),
      import('@fastify/swagger'),
      import('@fastify/static'),
    ]);
    return { fastify, websocket: websocket.default, swagger: swagger.default, files: files.default };
  } catch (cause) {
    throw new MissingPackageError(SERVER_PACKAGES, 'acom serve', cause);
  }
}
