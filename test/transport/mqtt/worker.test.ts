/** One worker and what may come its way: order of acknowledgements, malformed and foreign input, its own faults. */
import { connect, type IClientPublishOptions, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import type { CloudDecoder } from '../../../src/codec/index.js';
import { createRandom } from '../../../src/tensor/index.js';
import {
  type LogFields,
  MqttDevice,
  MqttWorker,
  parseBrokerUrl,
  Topics,
  UTTERANCE_TYPE,
  type WorkerSettings,
} from '../../../src/transport/mqtt/index.js';
import { loadCommands, readSamples } from '../../support/commands.js';
import { Mosquitto, noMosquitto, observe, until } from '../../support/mosquitto.js';
import { MqttProxy, PUBACK, PUBLISH } from '../../support/mqtt-proxy.js';

const skip = noMosquitto();
let broker: Mosquitto;
let decoder: CloudDecoder;
let topics: Topics;
let sample: Uint8Array;
let text = '';

t.before(async () => {
  if (skip) return;
  // Larger than what a worker takes, so that the worker is what refuses.
  broker = await Mosquitto.start(['max_packet_size 1000000']);
  const model = await loadCommands();
  decoder = await model.cloudDecoder();
  topics = new Topics(model.fingerprint.toString(16).padStart(8, '0'));
  const [first] = readSamples();
  sample = (await model.deviceEncoder()).encode(first!.samples, first!.sampleRate);
  text = decoder.decode(sample).text;
});
t.after(() => broker?.close());

interface Logged {
  readonly event: string;
  readonly fields: LogFields;
}

async function startWorker(
  half: CloudDecoder,
  settings: Partial<WorkerSettings> = {},
  url = broker.url,
): Promise<{ worker: MqttWorker; log: Logged[] }> {
  const log: Logged[] = [];
  const worker = await MqttWorker.start(half, {
    address: parseBrokerUrl(url),
    id: 'worker',
    log: (event, fields) => log.push({ event, fields }),
    ...settings,
  });
  return { worker, log };
}

const startDevice = (id = 'device', more = {}): Promise<MqttDevice> =>
  MqttDevice.open({
    address: parseBrokerUrl(broker.url),
    fingerprint: decoder.coder.fingerprint,
    id,
    ...more,
  });

/** Publishes by the package alone, and gives what comes back. */
async function rawDevice(t: Test): Promise<{
  client: MqttClient;
  ask(
    payload: Uint8Array,
    properties?: IClientPublishOptions['properties'],
  ): Promise<Record<string, unknown>>;
  answers: { readonly topic: string; readonly contentType: string | undefined }[];
}> {
  const client = connect(broker.url, { protocolVersion: 5 });
  t.teardown(() => client.endAsync());
  const { seen, close } = await observe(broker.url, topics.answer('#'));
  t.teardown(close);
  let number = 0;
  return {
    client,
    answers: seen,
    async ask(payload, properties = {}) {
      const correlationData = Buffer.from([9, number >> 8, number++ & 255]);
      const mine = () => seen.filter(({ correlation }) => correlation === correlationData.toString('hex'));
      await client.publishAsync(topics.request('raw'), Buffer.from(payload), {
        qos: 1,
        properties: { ...properties, correlationData },
      });
      await until('an answer', () => mine().length > 0);
      return JSON.parse(String(mine()[0]!.payload)) as Record<string, unknown>;
    },
  };
}

t.test('an utterance is acknowledged after its answer is, and not before', { skip }, async (t) => {
  const proxy = await MqttProxy.start(broker.port);
  const { worker } = await startWorker(decoder, {}, proxy.url);
  // Announcements are acknowledged.
  await until('the worker is announced', () => proxy.count('broker', PUBACK) === 2);
  const device = await startDevice();
  proxy.holds = ({ from, type }) => from === 'broker' && type === PUBACK;
  const { answer } = await device.send(sample);
  t.equal(answer?.['text'], text, 'the broker has the answer, for the device got it');
  t.equal(proxy.count('client', PUBACK), 0);
  const second = await device.send(sample);
  t.equal(second.answer?.['text'], text, 'the next one is worked on meanwhile');
  t.equal(proxy.count('client', PUBACK), 0, 'the worker has acknowledged nothing');
  proxy.release();
  await until('the utterances are acknowledged', () => proxy.count('client', PUBACK) === 2);
  const numbers = proxy.passed
    .filter(({ from, type }) => from === 'client' && type === PUBACK)
    .map(({ bytes }) => bytes.readUInt16BE(2));
  const given = proxy.passed
    .filter(({ from, type }) => from === 'broker' && type === PUBLISH)
    .map(({ bytes }) => bytes.readUInt16BE(2 + 2 + bytes.readUInt16BE(2)));
  t.same(numbers, given, 'by the numbers under which they came');
  await device.close();
  t.equal(await worker.stop(), 0);
  await proxy.close();
});

t.test('no more is at hand than the concurrency says', { skip }, async (t) => {
  const proxy = await MqttProxy.start(broker.port);
  const { worker } = await startWorker(decoder, { concurrency: 3 }, proxy.url);
  await until('the worker is announced', () => proxy.count('broker', PUBACK) === 2);
  proxy.holds = ({ from, type }) => from === 'broker' && type === PUBACK;
  const device = await startDevice();
  const replies = Array.from({ length: 9 }, () => device.send(sample));
  await Promise.all(replies.slice(0, 3));
  await new Promise((next) => setTimeout(next, 200));
  t.equal(proxy.count('broker', PUBLISH), 3, 'the broker keeps the others');
  proxy.release();
  t.same(
    (await Promise.all(replies)).map(({ answer }) => answer?.['text']),
    Array(9).fill(text),
  );
  await device.close();
  t.equal(await worker.stop(), 0);
  await proxy.close();
});

t.test('a worker whose connection breaks answers again, and the device once', { skip }, async (t) => {
  const proxy = await MqttProxy.start(broker.port);
  const { worker, log } = await startWorker(decoder, {}, proxy.url);
  await until('the worker is announced', () => proxy.count('broker', PUBACK) === 2);
  const device = await startDevice('device', { retrySeconds: 1 });
  // The broker has the answer, the worker does not know it.
  proxy.holds = ({ from, type }) => from === 'broker' && type === PUBACK;
  t.equal((await device.send(sample)).answer?.['text'], text);
  const port = Number(new URL(proxy.url).port);
  await proxy.close();
  const again = await MqttProxy.start(broker.port, port);
  await until('it is back', () => log.filter(({ event }) => event === 'connected').length === 2);
  t.equal((await device.send(sample)).answer?.['text'], text);
  await until('the first answer came again', () => device.counts.duplicates === 1);
  t.match(device.counts, { published: 2, answered: 2, unanswered: 0, strays: 0 });
  t.same(
    log.filter(({ event }) => event === 'failed'),
    [],
  );
  await device.close();
  t.equal(await worker.stop(), 0);
  await again.close();
});

t.test('what is no utterance gets one answer that says so', { skip }, async (t) => {
  const { worker, log } = await startWorker(decoder, { concurrency: 1, mostSeconds: 10 });
  const { ask, answers, client } = await rawDevice(t);
  const code = async (...args: Parameters<typeof ask>) => {
    const { error } = (await ask(...args)) as { error?: { code: string; message: string } };
    if (error !== undefined) t.ok(error.message.length > 10, error.message);
    return error?.code;
  };
  t.equal(await code(new Uint8Array()), 'ACOM_FORMAT');
  t.equal(await code(Uint8Array.from([0xac])), 'ACOM_FORMAT');
  t.equal(await code(new Uint8Array(70_000).fill(0xac)), 'ACOM_USAGE', 'too large');
  const foreign = sample.slice();
  foreign[2]! ^= 1;
  // The checksum begins with the header: of a foreign stream that is whole, see below.
  t.equal(await code(foreign), 'ACOM_CORRUPT');
  const other = sample.slice(0, -1);
  t.equal(await code(other), 'ACOM_CORRUPT', 'cut short');
  const long = decoder.coder.write(new Int32Array(2 * decoder.coder.timing.vectors(88_000)), 88_000, {
    codebooks: 2,
    packetVectors: 1000,
  });
  t.equal(await code(long), 'ACOM_USAGE', '11 s, where 10 are taken');
  t.equal(await code(sample, { contentType: 'audio/wav' }), 'ACOM_USAGE');
  t.equal(await code(sample, { responseTopic: `acom/models/${topics.fingerprint}` }), 'ACOM_USAGE');
  t.equal(await code(sample, { responseTopic: topics.answer('#') }), 'ACOM_USAGE');
  const random = createRandom(7);
  for (let n = 0; n < 60; n++) {
    const bytes = sample.slice();
    for (let flips = 0; flips < 1 + n / 10; flips++) {
      bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(8 * random());
    }
    const answer = await ask(n % 3 === 0 ? Uint8Array.from(bytes, () => 256 * random()) : bytes);
    t.ok('error' in answer || 'text' in answer, JSON.stringify(answer));
  }
  t.same(await ask(sample), { text }, 'and the worker goes on');
  t.same(await ask(sample, { contentType: UTTERANCE_TYPE, responseTopic: topics.answer('elsewhere') }), {
    text,
  });
  t.match(answers.at(-1), { topic: topics.answer('elsewhere'), contentType: 'application/json' });
  t.equal(answers.at(-2)?.contentType, undefined, 'who says nothing of types is told nothing of them');
  // Without correlation data there is an answer too, and QoS 0 is no crime.
  await client.publishAsync(topics.request('raw'), Buffer.from(sample), { qos: 0 });
  await until('an answer', () => answers.length === 72);
  t.equal(worker.counts.answered, 72, 'none was answered twice');
  t.same(
    log.filter(({ event }) => event === 'fault' || event === 'failed'),
    [],
  );
  t.equal(await worker.stop(), 0);
});

t.test('a stream of another model', { skip }, async (t) => {
  const { worker } = await startWorker(decoder);
  const model = await loadCommands();
  const { coder } = await model.cloudDecoder();
  const { StreamCoder } = await import('../../../src/codec/index.js');
  const strange = Object.assign(Object.create(StreamCoder.prototype), coder, {
    fingerprint: 0x1234abcd,
  }) as typeof coder;
  const bytes = strange.write(new Int32Array(20), 8000, { codebooks: 1, packetVectors: 1000 });
  const device = await startDevice();
  const { error, answer } = await device.send(bytes);
  t.equal(answer, null);
  t.match(error, { code: 'ACOM_MODEL_MISMATCH', message: /1234abcd/ });
  await device.close();
  await worker.stop();
});

t.test('a worker that fails at an utterance says so once and goes on', { skip }, async (t) => {
  const poison = sample.slice(0, 10);
  const failing = Object.assign(Object.create(decoder), {
    decode(bytes: Uint8Array) {
      if (bytes.length === poison.length) throw new TypeError('a secret of the inside');
      return decoder.decode(bytes);
    },
  }) as CloudDecoder;
  const { worker, log } = await startWorker(failing, { concurrency: 1 });
  const device = await startDevice('device', { retrySeconds: 0.5 });
  const { error, attempts } = await device.send(poison);
  t.equal(error?.code, 'ACOM_INTERNAL');
  t.notMatch(error?.message, /secret/);
  t.equal(attempts, 1);
  t.match(log.find(({ event }) => event === 'fault')?.fields, { stack: /secret/ });
  t.equal((await device.send(sample)).answer?.['text'], text);
  await worker.stop();
  // Whoever comes next is not given it again.
  const next = await startWorker(failing);
  t.equal((await device.send(sample)).answer?.['text'], text);
  t.equal(next.worker.counts.answered, 1);
  await device.close();
  await next.worker.stop();
});

t.test('announcements', { skip }, async (t) => {
  const { worker } = await startWorker(decoder, { id: 'announcer', version: '1.2.3', details: true });
  const { seen, close } = await observe(broker.url, 'acom/+/+');
  const latest = (topic: string) =>
    JSON.parse(String(seen.filter((each) => each.topic === topic).at(-1)?.payload ?? 'null')) as unknown;
  await until(
    'both are there',
    () => latest(topics.model) !== null && latest('acom/workers/announcer') !== null,
  );
  t.same(latest(topics.model), {
    name: 'commands',
    fingerprint: topics.fingerprint,
    task: 'recognition',
    sampleRate: 8000,
    labels: 21,
    codebooks: 4,
    codewords: 256,
    version: '1.2.3',
  });
  t.match(latest('acom/workers/announcer'), { status: 'online', model: topics.fingerprint });
  const device = await startDevice();
  const { answer } = await device.send(sample);
  const { words } = answer as { words: unknown[] };
  t.equal(words.length, text.split(' ').length, 'details were asked for');
  await device.close();
  await worker.stop();
  await until('it says goodbye', () => /offline/.test(JSON.stringify(latest('acom/workers/announcer'))));
  t.match(latest('acom/workers/announcer'), { status: 'offline', reason: 'stopped', answered: 1 });
  await close();
});

t.test('settings that make no sense', { skip }, async (t) => {
  for (const [settings, message] of [
    [{ id: 'a/b' }, /id is "a\/b"/],
    [{ group: '+' }, /group is "\+"/],
    [{ prefix: 'a/#' }, /prefix is "a\/#"/],
    [{ concurrency: 0 }, /concurrency is 0/],
    [{ mostSeconds: Number.NaN }, /mostSeconds is NaN/],
  ] as const) {
    await t.rejects(startWorker(decoder, settings), { code: 'ACOM_USAGE', message });
  }
});
