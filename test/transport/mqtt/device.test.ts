/** A device: what it sends counts as the socket counts it, and each utterance comes to one reply whatever happens. */
import { connect } from 'mqtt';
import t from 'tap';
import type { CloudClassifier, CloudDecoder } from '../../../src/codec/index.js';
import {
  type DeviceSettings,
  MqttDevice,
  MqttWorker,
  parseBrokerUrl,
} from '../../../src/transport/mqtt/index.js';
import { loadCommands, readSamples } from '../../support/commands.js';
import { Mosquitto, noMosquitto, observe, until, WorkerProcess } from '../../support/mosquitto.js';

const skip = noMosquitto();
let broker: Mosquitto;
let decoder: CloudDecoder;
let sample: Uint8Array;
let text = '';

t.before(async () => {
  if (skip) return;
  broker = await Mosquitto.start();
  const model = await loadCommands();
  decoder = await model.cloudDecoder();
  const [first] = readSamples();
  sample = (await model.deviceEncoder()).encode(first!.samples, first!.sampleRate);
  text = decoder.decode(sample).text;
});
t.after(() => broker?.close());

const startDevice = (settings: Partial<DeviceSettings> = {}): Promise<MqttDevice> =>
  MqttDevice.open({
    address: parseBrokerUrl(broker.url),
    fingerprint: decoder.coder.fingerprint,
    id: 'device',
    ...settings,
  });

const startWorker = (half: CloudDecoder | CloudClassifier = decoder): Promise<MqttWorker> =>
  MqttWorker.start(half, { address: parseBrokerUrl(broker.url), id: 'worker' });

t.test('bytes on the wire are those of the socket', { skip }, async (t) => {
  const worker = await startWorker();
  const seen: Record<string, number[]> = {};
  for (const [name, settings] of Object.entries({
    short: {},
    'without alias': { topicAliases: false },
    described: { topicAliases: false, describes: true },
  })) {
    const device = await startDevice(settings);
    seen[name] = [];
    for (let n = 0; n < 3; n++) {
      const before = device.traffic;
      const { sentBytes, receivedBytes, answer } = await device.send(sample);
      t.equal(answer?.['text'], text);
      // The acknowledgement of the answer is written when the reply is out.
      await new Promise((next) => setTimeout(next, 50));
      const { sent, received } = device.traffic;
      t.same([sentBytes, receivedBytes], [sent - before.sent, received - before.received], `${name}, ${n}`);
      seen[name].push(sentBytes);
    }
    await device.close();
  }
  const [first, second, third] = seen['short']!;
  const plain = seen['without alias']![0]!;
  const topic = `acom/${decoder.coder.fingerprint.toString(16)}/in/device`;
  t.equal(first, plain + 3, 'the first utterance says topic and number');
  t.same([second, third], [plain + 3 - topic.length, plain + 3 - topic.length], 'the others the number');
  t.equal(seen['described']![0], plain + 3 + 'application/vnd.acom'.length + 3 + topic.length + 1);
  await worker.stop();
});

t.test('an utterance that nobody takes', { skip }, async (t) => {
  const device = await startDevice({ deadlineSeconds: 1, retrySeconds: 0.3 });
  const { answer, error, attempts } = await device.send(sample);
  t.equal(answer, null);
  t.match(error, {
    code: 'ACOM_UNANSWERED',
    message: /no answer in 1 s: no worker takes utterances of model/,
  });
  t.ok(attempts > 1, `${attempts} attempts`);
  t.match(device.counts, { published: 1, answered: 0, unanswered: 1 });
  const late = device.send(sample);
  await device.close();
  t.match((await late).error, { code: 'ACOM_UNANSWERED', message: /ended its connection/ });
});

t.test('a worker that comes later answers the next try', { skip }, async (t) => {
  const device = await startDevice({ retrySeconds: 0.3 });
  const reply = device.send(sample);
  const worker = await startWorker();
  const { answer, attempts } = await reply;
  t.equal(answer?.['text'], text);
  t.ok(attempts > 1, `${attempts} attempts`);
  await device.close();
  await worker.stop();
});

t.test('utterances that nobody waits for any more are not decoded', { skip }, async (t) => {
  const worker = await WorkerProcess.start(broker.url, '--verbose', '--concurrency', '2');
  const device = await startDevice({ deadlineSeconds: 1, retrySeconds: 100 });
  worker.child.kill('SIGSTOP');
  const replies = await Promise.all(Array.from({ length: 8 }, () => device.send(sample)));
  t.same(new Set(replies.map(({ error }) => error?.code)), new Set(['ACOM_UNANSWERED']));
  // The broker counts whole seconds.
  await new Promise((next) => setTimeout(next, 1500));
  worker.child.kill('SIGCONT');
  // A worker that was stopped may have lost its first try; the next one is answered.
  await until('it answers again', () => worker.lines('answered').length >= 2);
  await device.close();
  const again = await startDevice();
  t.equal((await again.send(sample)).answer?.['text'], text);
  t.match(device.counts, { published: 8, answered: 0, unanswered: 8, strays: 0 });
  t.equal(device.counts.duplicates, 2, 'late answers change no reply');
  await again.close();
  t.equal(await worker.end('SIGTERM'), 0);
  t.equal(worker.lines('answered').length, 3, 'the two that it had, and the new one; the broker dropped six');
});

t.test('messages that are no answers', { skip }, async (t) => {
  const device = await startDevice({ deadlineSeconds: 30 });
  const asked = await observe(broker.url, device.topics.request('device'));
  const stranger = connect(broker.url, { protocolVersion: 5 });
  const reply = device.send(sample);
  await until('the utterance is out', () => asked.seen.length === 1);
  const correlationData = Buffer.from(asked.seen[0]!.correlation, 'hex');
  const say = (payload: string, properties: { correlationData?: Buffer }) =>
    stranger.publishAsync(device.topics.answer('device'), payload, { qos: 1, properties });
  await say('{"text":"wrong"}', {});
  await say('{"text":"wrong"}', { correlationData: Buffer.from([1, 2, 3, 4]) });
  await say('no JSON', { correlationData });
  await until('they came', () => device.counts.strays === 3);
  await say('{"text":"right"}', { correlationData });
  t.same((await reply).answer, { text: 'right' });
  await say('{"text":"late"}', { correlationData });
  await until('it came', () => device.counts.duplicates === 1);
  t.match(device.counts, { published: 1, answered: 1, duplicates: 1, strays: 3 });
  await stranger.endAsync();
  await asked.close();
  await device.close();
});

t.test('what is refused at once', { skip }, async (t) => {
  const device = await startDevice();
  t.throws(() => device.send(new Uint8Array(65_537)), { code: 'ACOM_USAGE', message: /65537 bytes/ });
  await device.close();
  await t.rejects(startDevice({ id: 'a/b' }), { code: 'ACOM_USAGE' });
  await t.rejects(startDevice({ deadlineSeconds: Number.POSITIVE_INFINITY }), { code: 'ACOM_USAGE' });
  const nowhere = parseBrokerUrl('mqtt://127.0.0.1:1');
  await t.rejects(startDevice({ address: nowhere, connectSeconds: 1 }), {
    code: 'ACOM_BROKER',
    message: /127\.0\.0\.1:1: connecting for 1 s failed: .*ECONNREFUSED/,
  });
});
