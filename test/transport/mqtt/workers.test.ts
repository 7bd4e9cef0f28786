/** Many devices, several workers that are processes, one broker: every utterance is answered exactly once. */
import t, { type Test } from 'tap';
import { type CloudDecoder, type DeviceEncoder, timingOf } from '../../../src/codec/index.js';
import { createRandom } from '../../../src/tensor/index.js';
import { MqttDevice, parseBrokerUrl, type Reply } from '../../../src/transport/mqtt/index.js';
import { loadCommands, readSamples } from '../../support/commands.js';
import { Mosquitto, noMosquitto, observe, until, WorkerProcess } from '../../support/mosquitto.js';

const DEVICES = 50;
const EACH = 10;

let encoder: DeviceEncoder;
let decoder: CloudDecoder;
let samples: Uint8Array[] = [];
const expected = new Map<string, string>();

/** What this process makes of an utterance, without any broker. */
function textOf(bytes: Uint8Array): string {
  const key = Buffer.from(bytes).toString('hex');
  let text = expected.get(key);
  if (text === undefined) {
    text = decoder.decode(bytes).text;
    expected.set(key, text);
  }
  return text;
}

t.before(async () => {
  const model = await loadCommands();
  encoder = await model.deviceEncoder();
  decoder = await model.cloudDecoder();
  samples = readSamples().map(({ samples, sampleRate }) => encoder.encode(samples, sampleRate));
});

/** An utterance of codewords at random, one to three seconds long: no two are alike. */
function randomUtterance(random: () => number): Uint8Array {
  const timing = timingOf(encoder.config);
  const count = Math.round(timing.sampleRate * (1 + 2 * random()));
  const codebooks = 2;
  const { codewords } = encoder.config.quantizer;
  const indices = Array.from({ length: timing.vectors(count) * codebooks }, () =>
    Math.floor(random() * codewords),
  );
  return encoder.coder.write(indices, count, { codebooks, packetVectors: 1000 });
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly reply: Reply;
}

/** Opens devices that each send their utterances, all at once or with `pause` milliseconds between. */
async function run(
  broker: Mosquitto,
  devices: number,
  settings: { retrySeconds?: number; deadlineSeconds?: number },
  pause: number,
  onReply: (count: number) => void,
): Promise<{ sent: Sent[]; duplicates: number; strays: number }> {
  const sent: Sent[] = [];
  let [duplicates, strays] = [0, 0];
  const open = await Promise.all(
    Array.from({ length: devices }, (_, d) =>
      MqttDevice.open({
        address: parseBrokerUrl(broker.url),
        fingerprint: encoder.coder.fingerprint,
        id: `device-${d}`,
        ...settings,
      }),
    ),
  );
  await Promise.all(
    open.map(async (device, d) => {
      const random = createRandom(d + 1);
      const replies: Promise<unknown>[] = [];
      for (let n = 0; n < EACH; n++) {
        const bytes = n % 2 === 0 ? samples[(d + n) % samples.length]! : randomUtterance(random);
        replies.push(
          device.send(bytes).then((reply) => {
            sent.push({ bytes, reply });
            onReply(sent.length);
          }),
        );
        await new Promise((next) => setTimeout(next, pause));
      }
      await Promise.all(replies);
    }),
  );
  // Answers to what was answered already may still be on their way.
  await new Promise((next) => setTimeout(next, 500));
  for (const device of open) {
    duplicates += device.counts.duplicates;
    strays += device.counts.strays;
    await device.close();
  }
  return { sent, duplicates, strays };
}

/** Every utterance has one reply, which is an answer, and the right one. */
function checkReplies(t: Test, sent: readonly Sent[], count: number): void {
  t.equal(sent.length, count, 'each utterance has one reply');
  const failed = sent.filter(({ reply }) => reply.error !== null);
  t.same(
    failed.map(({ reply }) => reply.error),
    [],
    'all are answered',
  );
  const wrong = sent.filter(({ bytes, reply }) => reply.answer?.['text'] !== textOf(bytes));
  t.same(wrong.length, 0, 'with what was said');
}

t.test('a worker is killed in mid-stream', { skip: noMosquitto() }, async (t) => {
  const broker = await Mosquitto.start(['max_queued_messages 0']);
  const workers = await Promise.all([
    WorkerProcess.start(broker.url, '--id', 'first', '--verbose'),
    WorkerProcess.start(broker.url, '--id', 'second', '--verbose'),
  ]);
  const asked = await observe(broker.url, 'acom/+/in/+');
  const answers = await observe(broker.url, 'acom/+/out/+');
  const states = await observe(broker.url, 'acom/workers/first');
  let killed: Promise<number | null> | undefined;
  const count = DEVICES * EACH;
  const settings = { retrySeconds: 2, deadlineSeconds: 100 };
  const { sent, duplicates, strays } = await run(broker, DEVICES, settings, 20, (replies) => {
    if (replies >= count / 5) killed ??= workers[0].end('SIGKILL');
  });
  await killed;
  checkReplies(t, sent, count);
  const first = workers[0].lines('answered').length;
  t.ok(first > 0 && first < count, `the first worker answered ${first} before it was killed`);
  t.equal(strays, 0);
  const key = ({ topic, correlation }: { topic: string; correlation: string }) =>
    `${topic.replace('/out/', '/in/')} ${correlation}`;
  t.equal(new Set(asked.seen.map(key)).size, count, 'a third party saw as many utterances');
  t.equal(new Set(answers.seen.map(key)).size, count, 'and each of them answered');
  t.equal(
    answers.seen.length,
    count + duplicates,
    `${duplicates} of them twice, which the devices threw away`,
  );
  const again = sent.filter(({ reply }) => reply.attempts > 1).length;
  t.comment(`${again} utterances were published again, ${duplicates} answered twice`);
  await until('the broker says that the first is gone', () =>
    /"offline".*"connection lost"/.test(String(states.seen.at(-1)?.payload)),
  );
  t.pass('the broker says that the killed worker is gone');
  t.equal(await workers[1].end('SIGTERM'), 0);
  for (const observer of [asked, answers, states]) await observer.close();
  await broker.close();
});

t.test('a worker that is asked to end hands over', { skip: noMosquitto() }, async (t) => {
  const broker = await Mosquitto.start(['max_queued_messages 0']);
  const workers = await Promise.all([
    WorkerProcess.start(broker.url, '--id', 'first', '--verbose', '--concurrency', '2'),
    WorkerProcess.start(broker.url, '--id', 'second', '--verbose', '--concurrency', '2'),
  ]);
  const states = await observe(broker.url, 'acom/workers/first');
  let ended: Promise<number | null> | undefined;
  const devices = 20;
  // Nothing is sent again within the test: what the worker leaves undone would be missing.
  const settings = { retrySeconds: 3600, deadlineSeconds: 90 };
  const { sent, duplicates, strays } = await run(broker, devices, settings, 0, (replies) => {
    if (replies >= 20) ended ??= workers[0].end('SIGTERM');
  });
  checkReplies(t, sent, devices * EACH);
  t.ok(
    sent.every(({ reply }) => reply.attempts === 1),
    'each was sent once',
  );
  t.same([duplicates, strays], [0, 0], 'and answered once');
  t.equal(await ended, 0);
  t.match(workers[0].lines('stopped'), [/left=0/]);
  // Lines are written after the devices have their answers: all are there when the process is gone.
  t.equal(await workers[1].end('SIGINT'), 0);
  const [first, second] = workers.map((worker) => worker.lines('answered').length);
  t.equal(first! + second!, devices * EACH);
  t.ok(second! > 0, `${first} and ${second}`);
  t.match(String(states.seen.at(-1)?.payload), /"offline".*"stopped"/);
  await states.close();
  await broker.close();
});

t.test('the broker is started again', { skip: noMosquitto() }, async (t) => {
  const broker = await Mosquitto.start();
  const worker = await WorkerProcess.start(broker.url, '--verbose');
  let restarted: Promise<void> | undefined;
  const settings = { retrySeconds: 1, deadlineSeconds: 90 };
  const { sent } = await run(broker, 5, settings, 100, (replies) => {
    if (replies >= 10) restarted ??= broker.stop().then(() => broker.again());
  });
  await restarted;
  checkReplies(t, sent, 5 * EACH);
  t.equal(await worker.end('SIGTERM'), 0);
  t.equal(worker.lines('disconnected').length, 1);
  t.equal(worker.lines('connected').length, 2);
  await broker.close();
});
