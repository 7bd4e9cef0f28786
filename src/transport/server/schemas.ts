/** JSON schemas of all that the server takes and gives, which become its OpenAPI document. */
import { ERROR_CODES } from './errors.js';

type Schema = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const number = { type: 'number' };
const whole = { type: 'integer', minimum: 0 };
const said = (schema: Schema, description: string): Schema => ({ ...schema, description });
const list = (items: Schema): Schema => ({ type: 'array', items });
const one = (...values: string[]): Schema => ({ type: 'string', enum: values });
export const ref = (name: string): Schema => ({ $ref: `${name}#` });

/** An object that has all of its properties. */
const record = (properties: Readonly<Record<string, Schema>>, description?: string): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...(description === undefined ? {} : { description }),
});

const span = { start: said(number, 'seconds'), end: said(number, 'seconds') };
const probability = said({ type: 'number', minimum: 0, maximum: 1 }, 'from 0 to 1');
const damage = {
  seconds: said(number, 'of audio'),
  codebooks: said(whole, 'codebooks that were used'),
  missing: said(list(ref('Span')), 'stretches that were lost to damage'),
  warnings: said(list(text), 'what was wrong with the file but did not stop decoding'),
};
const counts = {
  packets: said(whole, 'packets so far'),
  lost: said(whole, 'packets missing so far'),
  seconds: said(number, 'of audio so far'),
};
const ending = {
  text: said(text, 'all words of the stream'),
  words: said(list(ref('Word')), 'all words of the stream'),
  ...counts,
};
const errorFacts = {
  code: said(text, `stable, for programs: ${ERROR_CODES.join(', ')}, or another of acom's`),
  message: said(text, 'what is wrong and what to do, for people'),
};

/** By the names that they have in the document. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: record({ error: record(errorFacts) }, 'Every refusal has this form.'),
  Span: record(span),
  Word: record({ word: text, ...span, confidence: probability }),
  Transcript: record({ text, words: list(ref('Word')), ...damage }),
  Classification: record({
    label: said({ type: ['string', 'null'] }, 'null where there was nothing to classify'),
    confidence: probability,
    classes: said(list(record({ label: text, probability })), 'every class, the likeliest first'),
    clips: list(record({ ...span, label: text, confidence: probability })),
    ...damage,
  }),
  Model: record({
    name: text,
    task: { type: 'string', enum: ['recognition', 'classification'] },
    fingerprint: said({ type: 'string', pattern: '^[0-9a-f]{8}$' }, 'encoders must have the same'),
    sampleRate: said(number, "hertz, of the model's samples; encoders take any"),
    codebooks: whole,
    codewords: said(whole, 'of each codebook'),
    defaultCodebooks: whole,
    vectorsPerSecond: number,
    splitLayer: whole,
    labels: list(text),
    licence: text,
    live: said({ type: 'boolean' }, 'whether /v1/stream is there'),
    others: said(
      list(record({ name: text, task: one('recognition', 'classification'), fingerprint: text })),
      'other models whose files are decoded',
    ),
  }),
  Health: record({ status: one('alive') }),
  Ready: record({ status: one('ready') }),
  Welcome: record({ name: text, model: text, documentation: text, page: text }),
  StreamEnd: record({ type: one('end') }, 'Text from the client: the stream ends here.'),
  StreamReady: record(
    { type: one('ready'), model: text, fingerprint: text },
    'Answers the opening of a stream.',
  ),
  StreamUpdate: record(
    {
      type: one('update'),
      words: said(list(ref('Word')), 'words that are final since the last update'),
      partial: said({ type: ['string', 'null'] }, 'what is heard after them and may yet change'),
      ...counts,
    },
    'Answers a packet.',
  ),
  StreamFinal: record({ type: one('final'), ...ending }, 'The stream is over; close code 1000 follows.'),
  StreamClosing: record({ type: one('closing'), ...ending }, 'The server ends; close code 1001 follows.'),
  StreamError: record(
    { type: one('error'), ...errorFacts },
    'The stream is broken off; a close code and the code as its reason follow.',
  ),
};

const json = (description: string, schema: Schema, headers?: Schema): Schema => ({
  description,
  content: { 'application/json': { schema } },
  ...(headers === undefined ? {} : { headers }),
});

const RETRY = { 'retry-after': { type: 'integer', description: 'seconds' } };
const REFUSALS: Readonly<Record<number, Schema>> = {
  400: json('The request is malformed, or the file is no .acom stream.', ref('Error')),
  401: json('No token, or none that is known.', ref('Error'), {
    'www-authenticate': { type: 'string', description: 'Bearer' },
  }),
  403: json('A page from elsewhere asks a server that needs no token.', ref('Error')),
  404: json('There is nothing of this kind here.', ref('Error')),
  413: json('The body, or the audio in it, is too long.', ref('Error')),
  415: json('The body has another content type.', ref('Error')),
  422: json('The file is damaged beyond use, or was made with another model.', ref('Error')),
  426: json('Ask for this with a WebSocket.', ref('Error'), { upgrade: { type: 'string' } }),
  429: json('Too many requests a second, or too much at once.', ref('Error'), RETRY),
  500: json('The server failed.', ref('Error')),
  503: json('Too busy, not ready yet, or about to end.', ref('Error'), RETRY),
  504: json('Decoding took too long.', ref('Error')),
};

/** Refusals of some statuses, as a route's `response`. */
export const refusals = (...statuses: readonly number[]): Record<number, Schema> =>
  Object.fromEntries(statuses.map((status) => [status, REFUSALS[status]!]));

/** What any route that wants a token may answer. */
const ALWAYS = [401, 403, 429, 500] as const;
const SECURED = [{ bearer: [] }];

const STREAM = `
A WebSocket. Its first binary message is the opening of a live stream, every later one is one packet; both are whole messages.
The text {"type":"end"} ends the stream. Answers are texts of JSON: StreamReady to the opening, StreamUpdate to each packet,
StreamFinal at the end (close code 1000), StreamClosing where the server ends (1001), or StreamError (1007 for damaged bytes, 1008
for what is not allowed, 1009 for a message that is too long, 1011 for a failure here, 1013 where the server or the reader is too
slow). Pages, which can't set the Authorization header of a WebSocket, offer the subprotocols acom and bearer.TOKEN, the token in
base64url.`;

/** Description of every route. */
export const ROUTES = {
  health: {
    operationId: 'health',
    summary: 'Whether the process lives; needs no token',
    security: [],
    response: { 200: json('It does.', ref('Health')), ...refusals(500) },
  },
  ready: {
    operationId: 'ready',
    summary: 'Whether work is taken: models are loaded and the server does not end; needs no token',
    security: [],
    response: { 200: json('It is.', ref('Ready')), ...refusals(500, 503) },
  },
  metrics: {
    operationId: 'metrics',
    summary: 'Metrics for Prometheus',
    security: SECURED,
    response: {
      200: { description: 'Text of Prometheus.', content: { 'text/plain': { schema: text } } },
      ...refusals(...ALWAYS),
    },
  },
  openapi: {
    operationId: 'openapi',
    summary: 'This document',
    security: SECURED,
    response: {
      200: json('OpenAPI 3.1.', { type: 'object', additionalProperties: true }),
      ...refusals(...ALWAYS),
    },
  },
  welcome: {
    operationId: 'welcome',
    summary: 'What this is; the page where there is one',
    security: SECURED,
    response: { 200: json('Where to look.', ref('Welcome')), ...refusals(...ALWAYS) },
  },
  model: {
    operationId: 'model',
    summary: 'The model that decodes',
    security: SECURED,
    response: { 200: json('The model.', ref('Model')), ...refusals(...ALWAYS) },
  },
  device: {
    operationId: 'device',
    summary: "The device's half of the model, a safetensors file",
    security: SECURED,
    response: {
      200: {
        description: 'The file.',
        // Bytes have no schema; see OpenAPI 3.1.
        content: { 'application/octet-stream': { schema: { description: 'A codec model for devices.' } } },
      },
      ...refusals(404, ...ALWAYS),
    },
  },
  decode: {
    operationId: 'decode',
    summary: 'A whole .acom file to words or a label',
    security: SECURED,
    consumes: ['application/octet-stream', 'application/vnd.acom'],
    querystring: {
      type: 'object',
      additionalProperties: false,
      properties: {
        codebooks: said({ type: 'integer', minimum: 1, maximum: 15 }, 'use only the first ones'),
        beam: said({ type: 'integer', minimum: 1, maximum: 64 }, 'prefix-beam search of this width'),
      },
    },
    body: {
      content: Object.fromEntries(
        ['application/octet-stream', 'application/vnd.acom'].map((type) => [
          type,
          // Bytes have no schema; see OpenAPI 3.1.
          { schema: { description: 'An .acom file.' } },
        ]),
      ),
    },
    response: {
      200: json('What acom decode --json prints; a damaged file has missing and warnings.', {
        anyOf: [ref('Transcript'), ref('Classification')],
      }),
      ...refusals(400, 413, 415, 422, 503, 504, ...ALWAYS),
    },
  },
  stream: {
    operationId: 'stream',
    summary: 'A live stream to words',
    description: STREAM.trim().replaceAll('\n', ' '),
    security: SECURED,
    response: {
      101: json('The WebSocket is open. Its texts are:', {
        anyOf: ['Ready', 'Update', 'Final', 'Closing', 'Error'].map((name) => ref(`Stream${name}`)),
      }),
      ...refusals(404, 426, 503, ...ALWAYS),
    },
  },
} as const;
