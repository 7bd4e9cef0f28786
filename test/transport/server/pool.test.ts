/** Worker threads that crash, hang, run out of memory or can't start, and who is affected. */
import t from 'tap';
import type { ErrorFacts } from '../../../src/transport/server/errors.js';
import type { StreamListener } from '../../../src/transport/server/lane-stream.js';
import { WorkerPool } from '../../../src/transport/server/pool.js';
import { checkLimits, type LimitName } from '../../../src/transport/server/settings.js';
import { type FakeOptions, OPENING, packet, word } from '../../support/fake-engine.js';
import { until } from '../../support/server.js';

const url = new URL('../../support/fake-engine.js', import.meta.url).href;

interface Watched {
  readonly pool: WorkerPool;
  readonly restarts: string[];
  readonly errors: string[];
  readonly batches: number[];
}

async function makePool(
  t: { teardown(work: () => Promise<void>): void },
  workers: number,
  limits: Readonly<Partial<Record<LimitName, number>>> = {},
  options: FakeOptions = {},
): Promise<Watched> {
  const [restarts, errors, batches]: [string[], string[], number[]] = [[], [], []];
  const pool = await WorkerPool.start({ url, options }, workers, checkLimits(limits), {
    decoded: (kind, _, streams) => {
      if (kind === 'live') batches.push(streams);
    },
    restarted: (reason) => restarts.push(reason),
    warn: () => undefined,
    error: (_, message) => errors.push(message),
  });
  t.teardown(() => pool.close());
  return { pool, restarts, errors, batches };
}

const encoder = new TextEncoder();
const decode = async (pool: WorkerPool, text: string, signal?: AbortSignal): Promise<string> => {
  const json = await pool.decode(encoder.encode(text), { mostSeconds: 60 }, signal);
  return (JSON.parse(json) as { text: string }).text;
};

/** A listener that keeps what it hears. */
class Heard implements StreamListener {
  readonly texts: { readonly type: string; readonly partial?: string }[] = [];
  done = false;
  error: ErrorFacts | null = null;
  answered(messages: readonly string[], done: boolean, error: ErrorFacts | null): void {
    this.texts.push(...messages.map((text) => JSON.parse(text) as { type: string }));
    this.done = done;
    this.error = error;
  }
}

function openStream(pool: WorkerPool): {
  readonly heard: Heard;
  readonly stream: ReturnType<WorkerPool['openStream']>;
} {
  const heard = new Heard();
  const stream = pool.openStream(heard);
  stream.push('open', OPENING.slice());
  return { heard, stream };
}

t.test('files are decoded, and fail one by one', async (t) => {
  const { pool, errors } = await makePool(t, 2);
  t.equal(pool.model.name, 'fake');
  t.ok(pool.isReady);
  t.equal(pool.workersUp, 2);
  t.same(await Promise.all(['say a', 'say b', 'say c'].map((text) => decode(pool, text))), ['a', 'b', 'c']);
  for (const [text, code] of [
    ['format', 'ACOM_FORMAT'],
    ['corrupt', 'ACOM_CORRUPT'],
    ['foreign', 'ACOM_MODEL_MISMATCH'],
  ] as const) {
    await t.rejects(decode(pool, text), { code });
  }
  await t.rejects(decode(pool, 'mistake'), { code: 'ACOM_INTERNAL', message: /^(?!.*secret)/ });
  t.same(errors, ['an error in a worker'], 'a mistake is logged');
  t.equal(await decode(pool, 'say still here'), 'still here');
});

for (const [command, code, reason] of [
  ['crash', 'ACOM_WORKER', 'crash'],
  ['exit', 'ACOM_WORKER', 'crash'],
  ['memory', 'ACOM_WORKER', 'crash'],
  ['loop', 'ACOM_TIME_LIMIT', 'time limit'],
] as const) {
  t.test(`a file that makes its worker end by ${command} costs nobody else anything`, async (t) => {
    const { pool, restarts } = await makePool(t, 2, { jobSeconds: 0.2, workerMegabytes: 64 });
    const { heard, stream } = openStream(pool);
    stream.push('packet', word('before'));
    await t.rejects(decode(pool, command), { code });
    stream.push('packet', word('after'));
    await until(() => heard.texts.length === 3);
    t.same(
      heard.texts.map(({ type }) => type),
      ['ready', 'update', 'update'],
    );
    await until(() => pool.workersUp === 2);
    t.same(restarts, [reason]);
    t.equal(await decode(pool, 'say again'), 'again');
  });
}

for (const [kind, code] of [
  ['crash', 'ACOM_WORKER'],
  ['exit', 'ACOM_WORKER'],
  ['loop', 'ACOM_TIME_LIMIT'],
] as const) {
  t.test(`a stream that makes its worker end by ${kind} costs only streams of that worker`, async (t) => {
    const { pool, restarts } = await makePool(t, 3, { batchSeconds: 0.2 });
    const streams = [openStream(pool), openStream(pool)];
    await until(() => streams.every(({ heard }) => heard.texts.length === 1));
    const file = decode(pool, 'turns 500');
    streams[0]!.stream.push('packet', packet(kind));
    await until(() => streams[0]!.heard.error !== null);
    t.equal(streams[0]!.heard.error?.code, code);
    streams[1]!.stream.push('packet', word('yes'));
    await until(() => streams[1]!.heard.texts.length === 2);
    t.equal(streams[1]!.heard.error, null, 'the stream of the other worker goes on');
    t.equal(await file, 'done', 'and so does a file');
    await until(() => pool.workersUp === 3);
    t.equal(restarts.length, 1);
    const next = openStream(pool);
    await until(() => next.heard.texts.length === 1);
    t.equal(next.heard.texts[0]?.type, 'ready');
  });
}

t.test('a file that took too long between its parts is stopped, and its worker lives', async (t) => {
  const { pool, restarts } = await makePool(t, 1, { jobSeconds: 0.1 });
  const { heard, stream } = openStream(pool);
  await t.rejects(decode(pool, 'turns 60000'), { code: 'ACOM_TIME_LIMIT' });
  stream.push('packet', word('yes'));
  await until(() => heard.texts.length === 2);
  t.equal(heard.error, null);
  t.same(restarts, []);
});

t.test('with one worker, packets go between the parts of a file', async (t) => {
  const { pool } = await makePool(t, 1);
  const { heard, stream } = openStream(pool);
  let isDone = false;
  const file = decode(pool, 'turns 2000').then(() => {
    isDone = true;
  });
  for (let n = 0; n < 5; n++) {
    stream.push('packet', word('yes'));
    await until(() => heard.texts.length === n + 2);
    t.notOk(isDone);
  }
  await file;
});

t.test('with several, files that do not stop for anything leave streams alone', async (t) => {
  const { pool } = await makePool(t, 2);
  let done = 0;
  const files = [1, 2, 3].map(() =>
    decode(pool, 'block 500').then(() => {
      done++;
    }),
  );
  const { heard, stream } = openStream(pool);
  for (let n = 0; n < 5; n++) stream.push('packet', word('yes'));
  await until(() => heard.texts.length === 6);
  t.equal(done, 0, 'no file was done by then');
  await Promise.all(files);
});

t.test('what waits goes in one batch, one message of a stream each', async (t) => {
  const { pool, batches } = await makePool(t, 1, { batchStreams: 8 });
  const streams = Array.from({ length: 12 }, () => openStream(pool));
  await until(() => streams.every(({ heard }) => heard.texts.length === 1));
  t.same(batches.splice(0), [8, 4]);
  streams[0]!.stream.push('packet', packet('slow', 25));
  await until(() => streams[0]!.stream.waiting === 0);
  for (const { stream } of streams.slice(1)) for (let n = 0; n < 3; n++) stream.push('packet', word('yes'));
  t.equal(pool.waitingPackets, 33);
  await until(() => streams.slice(1).every(({ heard }) => heard.texts.length === 4));
  t.equal(batches.shift(), 1);
  t.equal(
    batches.reduce((sum, size) => sum + size),
    33,
  );
  t.equal(Math.max(...batches), 8);
  t.ok(batches.length <= 6, `${batches.length} batches`);
  for (const { stream } of streams) stream.push('final');
  await until(() => streams.every(({ heard }) => heard.done));
  t.same(
    streams.map(({ heard }) => heard.texts.at(-1)?.type),
    streams.map(() => 'final'),
  );
});

t.test('files wait up to a depth, and those of clients that left are not decoded', async (t) => {
  const { pool } = await makePool(t, 1, { queuedFiles: 2 });
  const gone = new AbortController();
  const running = decode(pool, 'block 300');
  const left = decode(pool, 'crash', gone.signal);
  const waiting = decode(pool, 'say waited');
  t.equal(pool.waitingFiles, 2);
  await t.rejects(decode(pool, 'say too much'), { code: 'ACOM_BUSY', retrySeconds: 1 });
  gone.abort();
  await t.rejects(left);
  t.equal(await running, 'done');
  t.equal(await waiting, 'waited');
  gone.abort();
  t.equal(pool.waitingFiles, 0);
});

t.test('a stream that nobody wants any more is dropped', async (t) => {
  const { pool } = await makePool(t, 1);
  const { heard, stream } = openStream(pool);
  await until(() => heard.texts.length === 1);
  stream.push('packet', packet('slow', 10));
  stream.push('packet', word('never'));
  stream.drop();
  stream.push('packet', word('never'));
  const other = openStream(pool);
  await until(() => other.heard.texts.length === 1);
  t.equal(heard.texts.length, 1);
  t.equal(heard.error, null);
});

t.test('streams that are dropped while they stand in line do not hold up those behind them', async (t) => {
  const { pool } = await makePool(t, 1, { batchStreams: 2 });
  const streams = Array.from({ length: 6 }, () => openStream(pool));
  await until(() => streams.every(({ heard }) => heard.texts.length === 1));
  streams[0]!.stream.push('packet', packet('slow', 25));
  await until(() => streams[0]!.stream.waiting === 0);
  for (const { stream } of streams.slice(1)) stream.push('packet', word('yes'));
  streams[3]!.stream.drop();
  streams[4]!.stream.drop();
  await until(() => streams[5]!.heard.texts.length === 2);
  t.same(
    streams.map(({ heard }) => heard.texts.length),
    [2, 2, 2, 1, 1, 2],
  );
});

t.test('engines that can not start', async (t) => {
  await t.rejects(makePool(t, 2, {}, { unfit: 'typed' }), { code: 'ACOM_FORMAT', message: /fake model/ });
  await t.rejects(makePool(t, 1, {}, { unfit: 'untyped' }), { code: 'ACOM_INTERNAL', message: 'a mistake' });
  await t.rejects(makePool(t, 1, {}, { unfit: 'crash' }), { code: 'ACOM_WORKER', message: /code 3/ });
  const wrong = WorkerPool.start({ url: import.meta.resolve('tap'), options: null }, 1, checkLimits(), {
    decoded: () => undefined,
    restarted: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  });
  await t.rejects(wrong, { code: 'ACOM_USAGE', message: /no function createEngine/ });
});

t.test('what a pool still has when it closes is refused', async (t) => {
  const { pool } = await makePool(t, 1);
  const { heard } = openStream(pool);
  await until(() => heard.texts.length === 1);
  const refused = [decode(pool, 'loop'), decode(pool, 'say never')].map((file) =>
    t.rejects(file, { code: 'ACOM_CLOSING' }),
  );
  await pool.close();
  await Promise.all(refused);
  t.equal(heard.error?.code, 'ACOM_CLOSING');
  await t.rejects(decode(pool, 'say never'), { code: 'ACOM_CLOSING' });
  t.throws(() => openStream(pool), { code: 'ACOM_BUSY' });
  t.notOk(pool.isReady);
});
