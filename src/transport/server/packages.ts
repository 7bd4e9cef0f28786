/** Fastify and its plugins: optional peers that only this file imports, and only when a server starts. */
import { MissingPackageError } from '../../tensor/index.js';

export type { WebSocket } from '@fastify/websocket';
export type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

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
    const names = 'fastify @fastify/websocket @fastify/swagger @fastify/static';
    throw new MissingPackageError(names, 'acom serve', cause);
  }
}
