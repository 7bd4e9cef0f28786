/** Servers in processes of their own that are asked to end while they have work. */
import t from 'tap';
import { OPENING, packet, word } from '../../support/fake-engine.js';
import { END, fakeServer, LiveClient, post, until } from '../../support/server.js';
import { fakeServerProcess } from '../../support/server-process.js';

const statusOf = async (address: string, path: string): Promise<number> =>
  (await fetch(`${address}${path}`, { headers: { connection: 'close' } })).status;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} while files, streams and requests are in flight`, async (t) => {
    const { child, address, errors, exit } = await fakeServerProcess(t, { workers: 2, logLevel: 'info' });
    const file = post(address, 'turns 1500');
    const waiting = post(address, 'say waited');
    const [live, ending, silent] = [
      await LiveClient.open(address, OPENING),
      await LiveClient.open(address, OPENING),
      await LiveClient.connect(address),
    ];
    live.send(word('yes'));
    await live.next();
    live.send(packet('slow', 100), word('no'));
    ending.send(END);
    t.equal(await statusOf(address, '/ready'), 200);
    child.kill(signal);
    await until(async () => (await statusOf(address, '/ready')) === 503);
    t.equal(await statusOf(address, '/health'), 200, 'it lives still');
    const refused = await post(address, 'say too late');
    t.equal(refused.status, 503);
    t.equal(refused.body.error?.code, 'ACOM_CLOSING');
    t.equal(refused.headers.get('connection'), 'close');
    await t.rejects(LiveClient.connect(address), { status: 503, code: 'ACOM_CLOSING' });
    t.same(await live.closed, { code: 1001, reason: 'ACOM_CLOSING' });
    t.match(live.messages.at(-1), { type: 'closing', text: 'yes no end', packets: 3, lost: 0 });
    t.equal((await ending.closed).code, 1000, 'one that ended anyway came to its end');
    t.match(ending.messages.at(-1), { type: 'final', text: 'end' });
    t.same(await silent.closed, { code: 1001, reason: 'ACOM_CLOSING' });
    t.match(silent.messages, [{ type: 'closing', text: '' }]);
    t.equal((await file).body.text, 'done');
    t.equal((await waiting).body.text, 'waited');
    t.equal(await exit, 0);
    await t.rejects(statusOf(address, '/health'), 'nobody listens');
    t.match(errors(), /"msg":"the server ends"/);
  });
}

t.test('what is not done in time is cut off', async (t) => {
  const { child, address, exit } = await fakeServerProcess(t, {
    workers: 2,
    limits: { shutdownSeconds: 0.5, jobSeconds: 600, batchSeconds: 600 },
  });
  const file = post(address, 'loop');
  const stuck = await LiveClient.open(address, OPENING);
  stuck.send(packet('loop'));
  await until(async () =>
    /acom_queue_depth\{kind="live"\} 0/.test(await (await fetch(`${address}/metrics`)).text()),
  );
  child.kill('SIGTERM');
  const { status, body } = await file;
  t.equal(status, 503);
  t.equal(body.error?.code, 'ACOM_CLOSING');
  t.ok([1001, 1006].includes((await stuck.closed).code));
  t.equal(await exit, 0);
});

t.test('the same signal again ends it at once', async (t) => {
  const { child, address, exit } = await fakeServerProcess(t, {
    limits: { shutdownSeconds: 600, jobSeconds: 600 },
  });
  const stuck = await LiveClient.open(address, OPENING);
  stuck.send(packet('slow', 255), packet('slow', 255));
  child.kill('SIGTERM');
  await until(async () => (await statusOf(address, '/ready')) === 503);
  child.kill('SIGTERM');
  t.equal(await exit, 'SIGTERM');
  t.equal((await stuck.closed).code, 1006);
});

t.test('a request whose body is still coming is answered', async (t) => {
  const log: string[] = [];
  const server = await fakeServer(t, {
    limits: { shutdownSeconds: 5 },
    logLevel: 'info',
    logTo: { write: (line) => log.push(line) },
  });
  let more: ReadableStreamDefaultController<Uint8Array> | null = null;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      more = controller;
      controller.enqueue(new TextEncoder().encode('say '));
    },
  });
  const asked = fetch(`${server.address}/v1/decode`, {
    method: 'POST',
    body,
    duplex: 'half',
    headers: { 'content-type': 'application/octet-stream' },
  } as RequestInit);
  await until(() => log.some((line) => line.includes('incoming request')));
  const closed = server.close();
  await new Promise((done) => setTimeout(done, 200));
  more!.enqueue(new TextEncoder().encode('hello'));
  more!.close();
  const response = await asked;
  t.equal(response.status, 200);
  t.match(await response.json(), { text: 'hello' });
  await closed;
  t.equal(server.close(), server.close(), 'closing twice is closing once');
});
