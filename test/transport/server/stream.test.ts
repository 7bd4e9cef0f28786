/** Live streams over real sockets, with an engine that does what it is told. */
import t from 'tap';
import { TokenList } from '../../../src/transport/server/index.js';
import { FOREIGN, OPENING, packet, word } from '../../support/fake-engine.js';
import { END, fakeServer, LiveClient, until } from '../../support/server.js';

const TOKEN = 'tokens~may+have/these==';
const tokens = TokenList.parse(`alice:${TOKEN}`, 'test');

t.test('a stream from its opening to its last packet', async (t) => {
  const { address } = await fakeServer(t);
  const client = await LiveClient.connect(address);
  client.send(OPENING);
  t.same(await client.next(), { type: 'ready', model: 'fake', fingerprint: '0badcafe' });
  client.send(word('yes'));
  t.match(await client.next(), { type: 'update', words: [{ word: 'yes' }], packets: 1, lost: 0 });
  client.send(packet('gap'), packet('silence'), word('no'), packet('last'));
  t.same(await client.closed, { code: 1000, reason: '' });
  t.same(
    client.messages.map(({ type }) => type),
    ['ready', 'update', 'update', 'update', 'update', 'update', 'final'],
  );
  t.match(client.messages.at(-1), {
    text: 'yes no',
    words: [{ word: 'yes' }, { word: 'no' }],
    packets: 5,
    lost: 1,
  });
});

t.test('a client may end a stream, after all that it sent', async (t) => {
  const { address } = await fakeServer(t);
  const client = await LiveClient.open(address, OPENING);
  client.send(packet('slow', 20), word('yes'), ' {"type" : "end", "more": 1}');
  t.equal((await client.closed).code, 1000);
  t.match(client.messages.at(-1), { type: 'final', text: 'yes end', packets: 2 });
  const short = await LiveClient.connect(address);
  short.send(OPENING, END);
  t.match(await short.last(), { type: 'final', text: 'end', packets: 0 });
});

t.test('what is malformed, or against the protocol, costs its own stream only', async (t) => {
  const server = await fakeServer(t);
  const good = await LiveClient.open(server.address, OPENING);
  const cases: readonly (readonly [
    what: string,
    messages: (Uint8Array | string)[],
    close: number,
    code: string,
  ])[] = [
    ['an opening that is none', [Uint8Array.of(1, 2, 3)], 1007, 'ACOM_FORMAT'],
    ['an empty opening', [new Uint8Array()], 1007, 'ACOM_FORMAT'],
    ['an opening of another model', [FOREIGN], 1008, 'ACOM_MODEL_MISMATCH'],
    ['a damaged packet', [OPENING, Uint8Array.of(99)], 1007, 'ACOM_CORRUPT'],
    ['an empty packet', [OPENING, new Uint8Array()], 1007, 'ACOM_CORRUPT'],
    ['two openings', [OPENING, OPENING], 1007, 'ACOM_CORRUPT'],
    ['a text that is not the end', [OPENING, 'hello'], 1008, 'ACOM_PROTOCOL'],
    ['another text in JSON', [OPENING, '{"type":"begin"}'], 1008, 'ACOM_PROTOCOL'],
    ['null', [OPENING, 'null'], 1008, 'ACOM_PROTOCOL'],
    ['a long text', [OPENING, JSON.stringify({ type: 'end', x: 'x'.repeat(300) })], 1008, 'ACOM_PROTOCOL'],
    ['an end before the opening', [END], 1008, 'ACOM_PROTOCOL'],
    ['a packet after the end', [OPENING, packet('slow', 20), END, word('yes')], 1008, 'ACOM_PROTOCOL'],
    ['two ends', [OPENING, packet('slow', 20), END, END], 1008, 'ACOM_PROTOCOL'],
    ['a mistake of the decoder', [OPENING, packet('mistake')], 1011, 'ACOM_INTERNAL'],
  ];
  for (const [what, messages, close, code] of cases) {
    const client = await LiveClient.connect(server.address);
    client.send(...messages);
    t.same(await client.closed, { code: close, reason: code }, what);
    const error = client.messages.at(-1)!;
    t.match(error, { type: 'error', code }, what);
    t.ok(error.message!.length > 5 && !/secret/.test(error.message!), error.message ?? 'none');
  }
  good.send(word('yes'));
  t.match(await good.next(), { type: 'update', words: [{ word: 'yes' }], packets: 1 });
  const { body } = await server.app.inject('/metrics');
  t.match(body, /acom_errors_total\{code="ACOM_PROTOCOL"\} 7\n/);
  t.match(body, /acom_streams_open 1\n/);
  t.match(body, /acom_streams_total 15\n/);
  good.socket.terminate();
  await until(async () => /acom_streams_open 0\n/.test((await server.app.inject('/metrics')).body));
});

t.test('a worker that ends closes its streams with a reason, and the next streams are served', async (t) => {
  const server = await fakeServer(t, { limits: { batchSeconds: 0.2 } });
  for (const [kind, code] of [
    ['crash', 'ACOM_WORKER'],
    ['loop', 'ACOM_TIME_LIMIT'],
  ] as const) {
    const [one, two] = [
      await LiveClient.open(server.address, OPENING),
      await LiveClient.open(server.address, OPENING),
    ];
    one.send(packet(kind));
    for (const client of [one, two]) {
      t.same(await client.closed, { code: 1011, reason: code });
      t.match(client.messages.at(-1), { type: 'error', code });
    }
    await until(async () => (await server.app.inject('/ready')).statusCode === 200);
    const next = await LiveClient.open(server.address, OPENING);
    next.send(word('yes'), END);
    t.match(await next.last(), { type: 'final', text: 'yes end' });
  }
  const { body } = await server.app.inject('/metrics');
  t.match(body, /acom_worker_restarts_total\{reason="crash"\} 1\n/);
  t.match(body, /acom_worker_restarts_total\{reason="time limit"\} 1\n/);
});

t.test('tokens of streams, in a header or as a subprotocol', async (t) => {
  const { address } = await fakeServer(t, { tokens });
  const authorization = `Bearer ${TOKEN}`;
  const byHeader = await LiveClient.connect(address, { headers: { authorization } });
  t.equal(byHeader.socket.protocol, '');
  const bearer = `bearer.${Buffer.from(TOKEN).toString('base64url')}`;
  for (const protocols of [
    ['acom', bearer],
    [bearer, 'acom'],
  ]) {
    const client = await LiveClient.connect(address, { protocols });
    t.equal(client.socket.protocol, 'acom', 'the token is not said again');
    client.send(OPENING, END);
    t.match(await client.last(), { type: 'final' });
  }
  const refused = { status: 401, code: 'ACOM_UNAUTHORIZED' };
  for (const wrong of [
    {},
    { headers: { authorization: 'Bearer wrong-wrong-wrong' } },
    { protocols: ['acom'] },
    { protocols: ['acom', 'bearer.d3Jvbmc'] },
    { protocols: ['acom', 'bearer.'] },
  ]) {
    await t.rejects(LiveClient.connect(address, wrong), refused);
    await t.rejects(LiveClient.connect(address, { ...wrong, path: '/nothing' }), refused);
    await t.rejects(LiveClient.connect(address, { ...wrong, path: '/health' }), refused);
  }
  for (const path of ['/nothing', '/health', '/v1/model']) {
    await t.rejects(LiveClient.connect(address, { headers: { authorization }, path }), {
      status: 404,
      code: 'ACOM_NOT_FOUND',
    });
  }
});

t.test('a page from elsewhere can not open a stream of a server without tokens', async (t) => {
  const { address } = await fakeServer(t);
  await t.rejects(LiveClient.connect(address, { headers: { origin: 'https://elsewhere.example' } }), {
    status: 403,
    code: 'ACOM_FORBIDDEN',
  });
  const own = await LiveClient.connect(address, { headers: { origin: address } });
  own.socket.close();
  t.equal((await own.closed).code, 1005);
});

t.test('a model without live streams refuses them before they begin', async (t) => {
  const { address } = await fakeServer(t, { engine: { model: { live: false, task: 'classification' } } });
  await t.rejects(LiveClient.connect(address), { status: 404, message: /\/v1\/decode/ });
});

t.test('many streams at once come out right', async (t) => {
  const server = await fakeServer(t, { workers: 3, limits: { streamsPerClient: 1000, batchStreams: 32 } });
  const clients = await Promise.all(Array.from({ length: 200 }, () => LiveClient.connect(server.address)));
  for (const client of clients) client.send(OPENING);
  for (let n = 0; n < 10; n++) {
    for (const [number, client] of clients.entries()) client.send(word(`w${number}.${n}`));
    await new Promise((done) => setTimeout(done, 5));
  }
  for (const client of clients) client.send(END);
  const finals = await Promise.all(clients.map((client) => client.last()));
  t.same(
    finals.map((final) => final?.text),
    clients.map((_, number) => `${Array.from({ length: 10 }, (_, n) => `w${number}.${n}`).join(' ')} end`),
  );
  const { body } = await server.app.inject('/metrics');
  // An opening, ten packets and an end each.
  t.match(body, /acom_packets_total 2400\n/);
  const batches = Number(/acom_batch_streams_count (\d+)/.exec(body)![1]);
  t.ok(batches < 1200, `${batches} batches`);
});
