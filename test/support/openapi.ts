/** The OpenAPI document of a server, and whether JSON is what it says. */
import fastify from 'fastify';
import type { Server } from '../../src/transport/server/index.js';

export interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
}
export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

export const documentOf = async (server: Server, headers: Record<string, string> = {}): Promise<Document> =>
  (await server.app.inject({ url: '/openapi.json', headers })).json<Document>();

/** Checks JSON against a schema of a document, by a validator that knows nothing of the server: Fastify's own, of a body. */
export async function checkBySchema(document: Document, schema: object, json: string): Promise<string> {
  const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
  const local = (value: object): object =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll('#/components/schemas/', '')
        .replace(/"(\$ref)":"(\w+)"/g, '"$1":"$2#"'),
    );
  for (const [$id, each] of Object.entries(document.components.schemas))
    app.addSchema({ $id, ...local(each) });
  app.post('/', { schema: { body: local(schema) } }, async () => 'right');
  const { body } = await app.inject({
    method: 'POST',
    url: '/',
    body: json,
    headers: { 'content-type': 'application/json' },
  });
  await app.close();
  return body;
}

export const schemaOf = (operation: Operation, status: number): object => {
  const { content = {} } = operation.responses[status] ?? {};
  return (content as Record<string, { schema: object }>)['application/json']!.schema;
};
