/** Ten thousand malformed requests, by every way there is: the server stays as it was. */
import { connect } from 'node:net';
import t from 'tap';
import { createRandom } from '../../../src/tensor/index.js';
import { MODEL_ENGINE, startServer } from '../../../src/transport/server/index.js';
import { loadCommands, modelFile, readSamples } from '../../support/commands.js';
import { OPENING, word } from '../../support/fake-engine.js';
import { mutate } from '../../support/fuzz.js';
import { fakeServer, LiveClient } from '../../support/server.js';

const random = createRandom(7);
const below = (n: number): number => Math.floor(random() * n);
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

/** Runs `count` pieces of work, some at a time. */
async function inParallel(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 16 }, run));
}

t.test('6,000 damaged files, to the decoder that ships', async (t) => {
  const server = await startServer({
    engine: { module: MODEL_ENGINE, options: { model: modelFile } },
    port: 0,
    workers: 1,
    logLevel: 'silent',
    limits: { requestsPerSecond: 1e6, requestBurst: 1e6, decodesPerClient: 100 },
  });
  t.teardown(() => server.close());
  const encoder = await (await loadCommands()).deviceEncoder();
  const { samples, sampleRate } = readSamples()[0]!;
  const good = encoder.encode(samples, sampleRate, { packetSeconds: 1 });
  const send = (body: Uint8Array) =>
    server.app.inject({
      method: 'POST',
      url: '/v1/decode',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(body),
    });
  const before = (await send(good)).body;
  const counts = new Map<number, number>();
  const untyped: string[] = [];
  await inParallel(6000, async (number) => {
    const bytes = number % 4 === 0 ? noise(below(64)) : mutate(good, random);
    const { statusCode, body } = await send(bytes);
    counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1);
    if (statusCode === 200) return;
    const { error } = JSON.parse(body) as { error?: { code: string; message: string } };
    if (![400, 413, 422].includes(statusCode) || !error?.code.startsWith('ACOM_') || error.message === '') {
      untyped.push(`${statusCode} ${body} ${Buffer.from(bytes).toString('hex')}`);
    }
  });
  t.same(untyped, []);
  t.ok(counts.get(400)! > 1000 && counts.get(422)! > 100, JSON.stringify([...counts]));
  t.equal((await send(good)).body, before, 'a good file gives what it gave');
  const { body } = await server.app.inject('/metrics');
  t.notMatch(body, /acom_worker_restarts_total\{/, 'no worker ended');
  t.equal((await server.app.inject('/ready')).statusCode, 200);
});

t.test('2,000 malformed requests below HTTP, and beside its rules', async (t) => {
  const server = await fakeServer(t);
  const { port } = new URL(server.address);
  const post = 'POST /v1/decode HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
  const upgrade =
    'GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  const texts = [
    () => noise(1 + below(200)).toString('latin1'),
    () => 'GET\r\n\r\n',
    () => 'GET / HTTP/9.9\r\n\r\n',
    () => `GET ${'/x'.repeat(below(12_000))} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    () => `GET /%${below(256).toString(16)}%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    () => `${post}Content-Type: ${'x'.repeat(below(100))}\r\nContent-Length: 3\r\n\r\nabc`,
    () => `${post}Content-Length: -1\r\n\r\n`,
    () => `${post}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    () => `${post}Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    () => `${post}Content-Type: application/octet-stream\r\nContent-Length: 99999999999\r\n\r\n`,
    () => `${post}X: ${'y'.repeat(20_000)}\r\n\r\n`,
    () => `${upgrade}Sec-WebSocket-Version: ${below(20)}\r\nConnection: close\r\n\r\n`,
    () => `${upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: no\r\n\r\n`,
    () => `${upgrade}\r\n`,
  ];
  const wrong: string[] = [];
  await inParallel(
    2000,
    (number) =>
      new Promise<void>((done) => {
        const text = texts[number % texts.length]!();
        const socket = connect(Number(port), '127.0.0.1', () => socket.end(Buffer.from(text, 'latin1')));
        let answer = '';
        socket.on('data', (part) => {
          answer += part.toString('latin1');
        });
        socket.on('error', () => undefined);
        socket.on('close', () => {
          if (answer !== '' && !/^HTTP\/1\.1 4\d\d /.test(answer)) wrong.push(`${text} -> ${answer}`);
          done();
        });
      }),
  );
  t.same(wrong, []);
  t.equal((await fetch(`${server.address}/ready`)).status, 200);
  t.match(await (await fetch(`${server.address}/metrics`)).text(), /acom_streams_open 0\n/);
});

t.test('2,000 malformed streams beside one that is good', async (t) => {
  const server = await fakeServer(t);
  const good = await LiveClient.open(server.address, OPENING);
  const closes = new Map<number, number>();
  const wrong: string[] = [];
  const mask = Buffer.from([1, 2, 3, 4]);
  const frames = [
    // Reserved bits, an unknown kind, no mask, a long ping, text that is no UTF-8, a continuation of nothing.
    Buffer.concat([Buffer.from([0xf2, 0x81]), mask, noise(1)]),
    Buffer.concat([Buffer.from([0x83, 0x81]), mask, noise(1)]),
    Buffer.from([0x82, 0x01, 0x00]),
    Buffer.concat([Buffer.from([0x89, 0xfe, 0x01, 0x00]), mask, noise(256)]),
    Buffer.concat([Buffer.from([0x81, 0x82]), mask, Buffer.from([0xff ^ 1, 0xff ^ 2])]),
    Buffer.concat([Buffer.from([0x80, 0x81]), mask, noise(1)]),
    // A length of 2^63.
    Buffer.concat([Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), mask]),
  ];
  await inParallel(2000, async (number) => {
    const client = await LiveClient.connect(server.address);
    if (number % 3 === 0) client.send(noise(1 + below(40)).fill(1, 0, 1));
    else if (number % 3 === 1) client.send(OPENING, noise(1 + below(40)).fill(0x77, 0, 1));
    else {
      const { _socket: socket } = client.socket as unknown as { readonly _socket: NodeJS.WritableStream };
      client.send(OPENING);
      socket.write(frames[number % frames.length]!);
    }
    const { code } = await client.closed;
    closes.set(code, (closes.get(code) ?? 0) + 1);
    if (number % 3 < 2 && client.messages.at(-1)?.type !== 'error') wrong.push(`${number}: no error`);
  });
  t.same(wrong, []);
  t.ok(closes.get(1007)! >= 1333, JSON.stringify([...closes]));
  t.same(
    [...closes.keys()].filter((code) => ![1002, 1006, 1007, 1009].includes(code)),
    [],
  );
  good.send(word('yes'));
  t.match(await good.next(), { type: 'update', words: [{ word: 'yes' }], packets: 1 });
  const { body } = await server.app.inject('/metrics');
  t.match(body, /acom_streams_open 1\n/);
  t.notMatch(body, /acom_worker_restarts_total\{/);
});
