/** Every route, and its answers by their own description. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadDeviceEncoder } from '../../../src/index.js';
import { MODEL_ENGINE, startServer, TokenList } from '../../../src/transport/server/index.js';
import { acom } from '../../support/cli.js';
import { loadCommands, modelFile, readSamples } from '../../support/commands.js';
import { FAKE_MODEL } from '../../support/fake-engine.js';
import { checkBySchema, documentOf, schemaOf } from '../../support/openapi.js';
import { fakeServer, post } from '../../support/server.js';
import { repository } from '../../support/shared.js';

const KEYWORDS = join(repository, 'weights/keywords.safetensors');
const TOKEN = '0123456789abcdef';
const tokens = TokenList.parse(`alice:${TOKEN}`, 'test');
const BEARER = { authorization: `Bearer ${TOKEN}` };

t.test('the document is OpenAPI, and whole', async (t) => {
  const server = await fakeServer(t, { tokens });
  const document = await documentOf(server, BEARER);
  t.match(document.openapi, /^3\.1\.\d+$/);
  t.ok(document.info.title && document.info.version);
  // Against the routes that there are: a tree with one a line, in which what is below a path begins with it.
  const below: { readonly indent: number; readonly path: string }[] = [];
  const routes: string[] = [];
  for (const line of server.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, before, part, method] = /^(.*)─ (\S*) \(([A-Z]+)\)/.exec(line) ?? [];
    if (before === undefined) continue;
    while (below.length > 0 && below.at(-1)!.indent >= before.length) below.pop();
    const path = `${below.at(-1)?.path ?? ''}${part}`;
    below.push({ indent: before.length, path });
    routes.push(`${method} ${path}`);
  }
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.same(described.sort(), routes.sort());
  t.same(described, [
    'GET /',
    'GET /health',
    'GET /metrics',
    'GET /openapi.json',
    'GET /ready',
    'GET /v1/model',
    'GET /v1/model/device.safetensors',
    'GET /v1/stream',
    'POST /v1/decode',
  ]);
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const { operationId, responses, security } of operations) {
    t.ok(Object.keys(responses).length >= 2, operationId);
    for (const [status, { description }] of Object.entries(responses)) {
      t.match(status, /^[1-5]\d\d$/);
      t.ok(description.length > 3, `${operationId} ${status}`);
    }
    for (const scheme of security ?? []) {
      for (const name of Object.keys(scheme)) t.ok(document.components.securitySchemes[name], name);
    }
    t.equal(
      security?.length,
      ['health', 'ready'].includes(operationId) ? 0 : 1,
      `${operationId} wants a token`,
    );
    for (const [status] of Object.entries(responses).filter(([each]) => Number(each) >= 400)) {
      t.match(schemaOf({ operationId, responses }, Number(status)), { $ref: '#/components/schemas/Error' });
    }
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to!);
  t.ok(references.length > 20);
  for (const to of new Set(references)) {
    const found = to
      .slice(2)
      .split('/')
      .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], document);
    t.ok(to.startsWith('#/') && found !== undefined, to);
  }
});

t.test('a real model: answers are what the command says, and what the document says', async (t) => {
  const server = await startServer({
    engine: { module: MODEL_ENGINE, options: { model: modelFile } },
    port: 0,
    workers: 1,
    logLevel: 'silent',
  });
  t.teardown(() => server.close());
  const document = await documentOf(server);
  const model = await loadCommands();
  const encoder = await model.deviceEncoder();
  const folder = t.testdir();
  const whole = readSamples().map(({ samples, sampleRate }) => encoder.encode(samples, sampleRate));
  const damaged = encoder.encode(readSamples()[0]!.samples, readSamples()[0]!.sampleRate, {
    packetSeconds: 1,
  });
  damaged[damaged.length - 1]! ^= 1;
  for (const [number, bytes] of [...whole, damaged].entries()) {
    const file = join(folder, `${number}.acom`);
    writeFileSync(file, bytes);
    const { status, body } = await post(server.address, bytes.slice());
    t.equal(status, 200);
    const { stdout } = await acom(folder, 'decode', file, '--json');
    t.same({ file, ...body }, JSON.parse(stdout));
    const decode = document.paths['/v1/decode']!['post']!;
    t.equal(await checkBySchema(document, schemaOf(decode, 200), JSON.stringify(body)), 'right');
  }
  const one = await server.app.inject({
    method: 'POST',
    url: '/v1/decode?codebooks=1&beam=4',
    headers: { 'content-type': 'application/vnd.acom' },
    body: Buffer.from(whole[0]!),
  });
  t.equal(one.json<{ codebooks: number }>().codebooks, 1);
  const facts = await server.app.inject('/v1/model');
  t.match(facts.json(), { name: 'commands', task: 'recognition', sampleRate: 8000, codebooks: 4 });
  t.equal(Number.parseInt(facts.json<{ fingerprint: string }>().fingerprint, 16), model.fingerprint);
  t.equal(
    await checkBySchema(document, schemaOf(document.paths['/v1/model']!['get']!, 200), facts.body),
    'right',
  );
  // The validator does refuse what is wrong.
  t.match(
    await checkBySchema(document, { $ref: '#/components/schemas/Model' }, '{"name":1}'),
    /"statusCode":400/,
  );
  for (const [bytes, status, code] of [
    [Uint8Array.of(1, 2, 3), 400, 'ACOM_FORMAT'],
    [new Uint8Array(), 400, 'ACOM_FORMAT'],
    [damagedWhole(whole[0]!), 422, 'ACOM_CORRUPT'],
  ] as const) {
    const answer = await post(server.address, bytes);
    t.equal(answer.status, status);
    t.equal(answer.body.error?.code, code);
    t.equal(
      await checkBySchema(
        document,
        schemaOf(document.paths['/v1/decode']!['post']!, status),
        JSON.stringify(answer.body),
      ),
      'right',
    );
  }
});

function damagedWhole(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1]! ^= 1;
  return copy;
}

t.test('a classifier, and files that claim too much', async (t) => {
  const server = await startServer({
    engine: { module: MODEL_ENGINE, options: { model: KEYWORDS } },
    port: 0,
    workers: 2,
    logLevel: 'silent',
    limits: { fileSeconds: 2 },
  });
  t.teardown(() => server.close());
  const folder = t.testdir();
  const wav = join(repository, 'weights/keyword-samples');
  await acom(folder, 'encode', wav, '-o', folder, '-m', KEYWORDS);
  const { stdout } = await acom(folder, 'decode', folder, '--json', '-m', KEYWORDS);
  const document = await documentOf(server);
  for (const line of stdout.trim().split('\n')) {
    const { file, ...expected } = JSON.parse(line) as { file: string };
    const { status, body } = await post(server.address, new Uint8Array(readFileSync(file)));
    t.equal(status, 200);
    t.same(body, expected);
    const schema = { $ref: '#/components/schemas/Classification' };
    t.equal(await checkBySchema(document, schema, JSON.stringify(body)), 'right');
  }
  const encoder = await loadDeviceEncoder(KEYWORDS);
  const long = await post(server.address, encoder.encode(new Float32Array(3 * 16_000), 16_000).slice());
  t.equal(long.status, 413);
  t.match(long.body.error, { code: 'ACOM_TOO_LARGE', message: /3 s of audio, and 2 s are allowed/ });
  const beam = await server.app.inject({
    method: 'POST',
    url: '/v1/decode?beam=2',
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from(encoder.encode(new Float32Array(16_000), 16_000)),
  });
  t.equal(beam.statusCode, 400);
  t.match(beam.json(), { error: { code: 'ACOM_USAGE', message: /classifies: there is no beam/ } });
});

t.test('small routes', async (t) => {
  const server = await fakeServer(t);
  const get = async (url: string) => {
    const { statusCode, headers, body } = await server.app.inject(url);
    return { status: statusCode, type: headers['content-type'], body };
  };
  t.match(await get('/health'), { status: 200, body: '{"status":"alive"}' });
  t.match(await get('/ready'), { status: 200, body: '{"status":"ready"}' });
  t.same(JSON.parse((await get('/v1/model')).body), FAKE_MODEL);
  t.match(await get('/'), { status: 200, body: /openapi\.json/ });
  t.match(await get('/nothing'), { status: 404, body: /ACOM_NOT_FOUND/, type: /application\/json/ });
  t.match(await get('/v1/decode'), { status: 404, body: /ACOM_NOT_FOUND/ });
  t.match(await get('/%zz'), { status: 400, body: /ACOM_USAGE/ });
  const stream = await server.app.inject('/v1/stream');
  t.equal(stream.statusCode, 426);
  t.equal(stream.headers['upgrade'], 'websocket');
  for (const type of ['application/json', 'text/plain', 'nonsense', undefined]) {
    const wrong = await server.app.inject({
      method: 'POST',
      url: '/v1/decode',
      headers: type === undefined ? {} : { 'content-type': type },
      body: Buffer.from('say hello'),
    });
    t.equal(wrong.statusCode, 415, type ?? 'none');
    t.equal(wrong.json<{ error: { code: string } }>().error.code, 'ACOM_MEDIA_TYPE');
  }
  for (const query of ['codebooks=0', 'codebooks=x', 'codebooks=16', 'beam=65', 'nothing=1']) {
    const wrong = await server.app.inject({
      method: 'POST',
      url: `/v1/decode?${query}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from('say hello'),
    });
    t.equal(wrong.statusCode, 400, query);
    t.match(wrong.json(), { error: { code: 'ACOM_USAGE' } });
  }
});

t.test('a mistake of ours is logged, and not told', async (t) => {
  const lines: string[] = [];
  const server = await fakeServer(t, {
    logLevel: 'info',
    logTo: { write: (line) => lines.push(line) },
    tokens,
  });
  const { status, body } = await post(server.address, 'mistake', BEARER);
  t.equal(status, 500);
  t.equal(body.error?.code, 'ACOM_INTERNAL');
  t.notMatch(body.error?.message, /secret/);
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.ok(
    records.some(({ stack }) => /a secret of the server/.test(String(stack))),
    'with where it was',
  );
  t.ok(
    records.some(({ msg, reqId }) => msg === 'request completed' && reqId !== undefined),
    'each line is JSON',
  );
  t.notMatch(lines.join(''), TOKEN, 'tokens are not logged');
});

t.test('metrics', async (t) => {
  const server = await fakeServer(t);
  await post(server.address, 'say hello');
  await post(server.address, 'format');
  const { headers, body } = await server.app.inject('/metrics');
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of body.trim().split('\n')) {
    const [, name, type] = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    if (name !== undefined) types.set(name, type!);
    if (line.startsWith('#')) t.match(line, /^# (HELP|TYPE) \w+ \S/);
    if (line.startsWith('#') || line === '') continue;
    const sample = /^([a-z_:][\w:]*(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})?) (-?[\d.e+-]+|NaN|[+-]?Inf)$/i.exec(
      line,
    );
    t.ok(sample, line);
    samples.set(sample![1]!, Number(sample![2]));
  }
  t.equal(samples.get('acom_requests_total{route="/v1/decode",method="POST",status="200"}'), 1);
  t.equal(samples.get('acom_requests_total{route="/v1/decode",method="POST",status="400"}'), 1);
  t.equal(samples.get('acom_errors_total{code="ACOM_FORMAT"}'), 1);
  t.equal(samples.get('acom_decode_seconds_count{kind="file"}'), 2);
  t.equal(samples.get('acom_decode_seconds_bucket{le="+Inf",kind="file"}'), 2);
  for (const name of [
    'acom_streams_open',
    'acom_queue_depth{kind="file"}',
    'acom_queue_depth{kind="live"}',
    'acom_streams_total',
    'acom_packets_total',
  ]) {
    t.equal(samples.get(name), 0, name);
  }
  t.equal(samples.get('acom_workers_up'), 1);
  t.equal(types.get('acom_worker_restarts_total'), 'counter');
  t.ok(samples.has('process_cpu_seconds_total') && samples.has('nodejs_eventloop_lag_seconds'));
});
