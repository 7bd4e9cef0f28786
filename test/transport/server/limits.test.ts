/** Every limit, met over real sockets. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
import { TokenList } from '../../../src/transport/server/index.js';
import { LIMIT_NAMES } from '../../../src/transport/server/settings.js';
import { OPENING, packet, word } from '../../support/fake-engine.js';
import { type Answer, END, fakeServer, LiveClient, post, until } from '../../support/server.js';

const ALICE = 'alice-0123456789';
const BOB = 'bob-0123456789abc';
const tokens = TokenList.parse(`alice:${ALICE}\nbob:${BOB}`, 'test');
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** What a raw connection answers to `text` until it is closed. */
const raw = (address: string, text: string): Promise<string> =>
  new Promise((done, failed) => {
    const { hostname, port } = new URL(address);
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString('latin1');
    });
    socket.on('close', () => done(answer));
    socket.on('error', failed);
  });

t.test('requestsPerSecond, requestBurst: of a token, and of an address without one', async (t) => {
  const server = await fakeServer(t, { tokens, limits: { requestsPerSecond: 0.1, requestBurst: 3 } });
  const get = (headers: Record<string, string>) => fetch(`${server.address}/v1/model`, { headers });
  for (let n = 0; n < 3; n++) t.equal((await get(bearer(ALICE))).status, 200);
  const refused = await get(bearer(ALICE));
  t.equal(refused.status, 429);
  t.equal(((await refused.json()) as Answer).error?.code, 'ACOM_RATE');
  const wait = Number(refused.headers.get('retry-after'));
  t.ok(wait >= 1 && wait <= 10, `${wait} s`);
  t.equal((await get(bearer(BOB))).status, 200, 'others are not affected');
  for (let n = 0; n < 3; n++) t.equal((await get(bearer('guess-guess-guess'))).status, 401);
  t.equal((await get(bearer('guess-guess-guess'))).status, 429, 'guessing is slowed down');
  t.equal((await get(bearer(BOB))).status, 200, 'but not for who has a token');
  await t.rejects(LiveClient.connect(server.address, { headers: bearer(ALICE) }), {
    status: 429,
    code: 'ACOM_RATE',
  });
  for (let n = 0; n < 5; n++) t.equal((await fetch(`${server.address}/health`)).status, 200);
});

t.test(
  'behind a proxy, clients are told apart by what the proxy says, and not by what they say',
  async (t) => {
    const limits = { requestsPerSecond: 0.1, requestBurst: 1 };
    const get = async (address: string, forwarded: string) =>
      (await fetch(`${address}/v1/model`, { headers: { 'x-forwarded-for': forwarded } })).status;
    const behind = await fakeServer(t, { limits, trustProxy: true });
    t.equal(await get(behind.address, '192.0.2.1'), 200);
    t.equal(await get(behind.address, '192.0.2.2'), 200);
    t.equal(await get(behind.address, '192.0.2.3, 192.0.2.1'), 429);
    const alone = await fakeServer(t, { limits });
    t.equal(await get(alone.address, '192.0.2.1'), 200);
    t.equal(await get(alone.address, '192.0.2.2'), 429);
  },
);

t.test('bodyBytes', async (t) => {
  const { address } = await fakeServer(t, { limits: { bodyBytes: 100 } });
  t.equal((await post(address, `say ${'x'.repeat(96)}`)).status, 200);
  const { status, body } = await post(address, `say ${'x'.repeat(97)}`);
  t.equal(status, 413);
  t.equal(body.error?.code, 'ACOM_TOO_LARGE');
  const chunks = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 50; n++) controller.enqueue(new Uint8Array(100));
      controller.close();
    },
  });
  const chunked = await fetch(`${address}/v1/decode`, {
    method: 'POST',
    body: chunks,
    duplex: 'half',
    headers: { 'content-type': 'application/octet-stream' },
  } as RequestInit);
  t.equal(chunked.status, 413, 'a body that does not say its length');
});

t.test('decodesPerClient, queuedFiles, jobSeconds', async (t) => {
  const few = { tokens, limits: { decodesPerClient: 2, queuedFiles: 2, jobSeconds: 0.5 } };
  const server = await fakeServer(t, few);
  const running = [
    post(server.address, 'block 300', bearer(ALICE)),
    post(server.address, 'say 2', bearer(ALICE)),
  ];
  await until(async () => /acom_queue_depth\{kind="file"\} 1/.test((await metrics(server)).body));
  const own = await post(server.address, 'say 3', bearer(ALICE));
  t.equal(own.status, 429);
  t.equal(own.body.error?.code, 'ACOM_TOO_MANY');
  const others = [post(server.address, 'say 4', bearer(BOB)), post(server.address, 'say 5', bearer(BOB))];
  const results = await Promise.all([...running, ...others]);
  const statuses = results.map(({ status }) => status);
  t.same(statuses.slice(0, 2), [200, 200]);
  t.same(statuses.slice(2).sort(), [200, 503], 'one of them found the queue full');
  const busy = results.find(({ status }) => status === 503)!;
  t.equal(busy.body.error?.code, 'ACOM_BUSY');
  t.equal(busy.headers.get('retry-after'), '1');
  const late = await post(server.address, 'loop', bearer(ALICE));
  t.equal(late.status, 504);
  t.equal(late.body.error?.code, 'ACOM_TIME_LIMIT');
});

const metrics = (server: Awaited<ReturnType<typeof fakeServer>>) =>
  server.app.inject({ url: '/metrics', headers: bearer(BOB) });

t.test('streams, streamsPerClient', async (t) => {
  const { address } = await fakeServer(t, { tokens, limits: { streams: 3, streamsPerClient: 2 } });
  const open = (token: string) => LiveClient.connect(address, { headers: bearer(token) });
  const first = await open(ALICE);
  await open(ALICE);
  await t.rejects(open(ALICE), { status: 429, code: 'ACOM_TOO_MANY' });
  await open(BOB);
  await t.rejects(open(BOB), { status: 503, code: 'ACOM_BUSY', headers: { 'retry-after': '5' } });
  first.socket.close();
  await first.closed;
  const again = await open(ALICE);
  again.send(OPENING, END);
  t.match(await again.last(), { type: 'final' }, 'one that ended makes room');
});

t.test('messageBytes', async (t) => {
  const { address } = await fakeServer(t, { limits: { messageBytes: 64 } });
  const client = await LiveClient.open(address, OPENING);
  client.send(word('x'.repeat(63)));
  t.match(await client.next(), { type: 'update' });
  client.send(word('x'.repeat(64)));
  t.same(await client.closed, { code: 1009, reason: 'ACOM_TOO_LARGE' });
  t.match(client.messages.at(-1), { type: 'error', code: 'ACOM_TOO_LARGE', message: /65 bytes; at most 64/ });
  const huge = await LiveClient.open(address, OPENING);
  huge.send(new Uint8Array(1 << 20));
  t.equal((await huge.closed).code, 1009, 'far above it the close code must do');
});

t.test('messagesPerSecond, messageBurst, bytesPerSecond, byteBurst', async (t) => {
  const few = await fakeServer(t, { limits: { messagesPerSecond: 1, messageBurst: 5 } });
  const many = await LiveClient.open(few.address, OPENING);
  many.send(...Array.from({ length: 4 }, () => word('yes')));
  for (let n = 0; n < 4; n++) t.match(await many.next(), { type: 'update' });
  many.send(...Array.from({ length: 4 }, () => word('yes')));
  t.same(await many.closed, { code: 1008, reason: 'ACOM_RATE' });
  t.match(many.messages.at(-1), { type: 'error', message: /1 messages a second/ });
  const pings = await LiveClient.open(few.address, OPENING);
  for (let n = 0; n < 8; n++) pings.socket.ping();
  t.same(await pings.closed, { code: 1008, reason: 'ACOM_RATE' }, 'pings count');
  const narrow = await fakeServer(t, { limits: { bytesPerSecond: 16, byteBurst: 100 } });
  const large = await LiveClient.open(narrow.address, OPENING);
  large.send(word('x'.repeat(60)));
  t.match(await large.next(), { type: 'update' });
  large.send(word('x'.repeat(60)));
  t.same(await large.closed, { code: 1008, reason: 'ACOM_RATE' });
  t.match(large.messages.at(-1), { type: 'error', message: /16 bytes a second/ });
});

t.test('audioPerSecond, audioBurst', async (t) => {
  // Each packet of this engine stands for a second.
  const server = await fakeServer(t, { limits: { audioPerSecond: 0.1, audioBurst: 3 } });
  const other = await LiveClient.open(server.address, OPENING);
  const hasty = await LiveClient.open(server.address, OPENING);
  hasty.send(word('1'), word('2'), word('3'), word('4'), word('5'));
  for (let n = 0; n < 3; n++) t.match(await hasty.next(), { type: 'update' });
  t.same(await hasty.closed, { code: 1008, reason: 'ACOM_RATE' });
  t.match(hasty.messages.at(-1), { type: 'error', message: /3 s of audio at once/ });
  other.send(word('yes'), END);
  t.match(await other.last(), { type: 'final', text: 'yes end' });
});

t.test('waitingPackets: a socket is read no further while packets wait, and nothing is lost', async (t) => {
  const server = await fakeServer(t, {
    limits: { waitingPackets: 4, bytesPerSecond: 1e9, byteBurst: 1e9, batchSeconds: 60, audioBurst: 1e4 },
  });
  const client = await LiveClient.open(server.address, OPENING);
  client.send(packet('slow', 100));
  const letters = 'x'.repeat(3000);
  const sent = 2000;
  for (let n = 0; n < sent; n++) client.send(word(letters));
  client.send(END);
  // Six megabytes are sent; what the server holds of them is what waits here and one read from the network.
  const waiting = async () =>
    Number(/acom_queue_depth\{kind="live"\} (\d+)/.exec((await server.app.inject('/metrics')).body)![1]);
  await until(async () => (await waiting()) > 4);
  const held: number[] = [];
  while (client.messages.length < 20) {
    held.push(await waiting());
    await new Promise((done) => setTimeout(done, 20));
  }
  t.ok(Math.max(...held) < 200, `at most ${Math.max(...held)} of ${sent} waited`);
  const final = await client.last();
  t.match(final, { type: 'final', packets: sent + 1 });
});

t.test('queuedPackets: no more streams while too much waits', async (t) => {
  const { address } = await fakeServer(t, { limits: { queuedPackets: 3 } });
  const client = await LiveClient.open(address, OPENING);
  client.send(packet('slow', 100), word('1'), word('2'), word('3'), word('4'));
  await until(async () => {
    try {
      (await LiveClient.connect(address)).socket.terminate();
      return false;
    } catch (error) {
      return (error as { code?: string }).code === 'ACOM_BUSY';
    }
  });
  await until(() => client.messages.length === 6);
  (await LiveClient.connect(address)).socket.terminate();
  t.pass('later there is room again');
});

t.test('openingSeconds, idleSeconds, streamSeconds', async (t) => {
  const { address } = await fakeServer(t, {
    limits: { openingSeconds: 0.3, idleSeconds: 1, streamSeconds: 3 },
  });
  const silent = await LiveClient.connect(address);
  t.same(await silent.closed, { code: 1008, reason: 'ACOM_IDLE' });
  const idle = await LiveClient.open(address, OPENING);
  const busy = await LiveClient.open(address, OPENING);
  const timer = setInterval(() => busy.send(packet('silence')), 100);
  t.teardown(() => clearInterval(timer));
  t.same(await idle.closed, { code: 1008, reason: 'ACOM_IDLE' });
  t.match(idle.messages, [{ type: 'ready' }, { type: 'error', code: 'ACOM_IDLE' }]);
  t.same(await busy.closed, { code: 1008, reason: 'ACOM_TOO_LONG' });
  t.ok(busy.messages.filter(({ type }) => type === 'update').length > 5);
});

t.test('bufferedBytes: a client that does not read is closed', async (t) => {
  const server = await fakeServer(t, { limits: { bufferedBytes: 100_000 } });
  const client = await LiveClient.open(server.address, OPENING);
  const other = await LiveClient.open(server.address, OPENING);
  client.socket.pause();
  const timer = setInterval(() => client.send(packet('long', 250)), 2);
  t.teardown(() => clearInterval(timer));
  const count = async () => (await server.app.inject('/metrics')).body;
  await until(async () => /acom_errors_total\{code="ACOM_SLOW_READER"\} 1\n/.test(await count()));
  clearInterval(timer);
  client.socket.resume();
  t.same(await client.closed, { code: 1013, reason: 'ACOM_SLOW_READER' });
  t.match(client.messages.at(-1), { type: 'error', code: 'ACOM_SLOW_READER' });
  other.send(word('yes'));
  t.match(await other.next(), { type: 'update' });
});

t.test('headersSeconds, requestSeconds: a client that sends slowly', async (t) => {
  const { address } = await fakeServer(t, { limits: { headersSeconds: 1, requestSeconds: 2 } });
  const head = await raw(address, 'GET /health HTTP/1.1\r\nHost: localhost\r\n');
  t.match(head, /^HTTP\/1\.1 408 [\s\S]*"code":"ACOM_IDLE"/);
  const body = await raw(
    address,
    'POST /v1/decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nsay',
  );
  t.match(body, /^HTTP\/1\.1 408 [\s\S]*"code":"ACOM_IDLE"/);
});

t.test('connections', async (t) => {
  const { address } = await fakeServer(t, { limits: { connections: 2 } });
  const [one] = [await LiveClient.connect(address), await LiveClient.connect(address)];
  await t.rejects(LiveClient.connect(address));
  one.socket.terminate();
  await until(async () => {
    try {
      (await LiveClient.connect(address)).socket.terminate();
      return true;
    } catch {
      return false;
    }
  });
});

t.test('every limit is met in a test', async (t) => {
  const texts = ['limits', 'pool', 'shutdown', 'routes']
    .map((name) => readFileSync(new URL(`./${name}.test.js`, import.meta.url), 'utf8'))
    .join('\n');
  for (const name of LIMIT_NAMES) t.ok(texts.includes(`${name}:`), name);
});
