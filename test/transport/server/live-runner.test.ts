/** Batches of live streams in one worker, without the worker. */
import t from 'tap';
import type { LiveDecoder } from '../../../src/transport/server/index.js';
import { LiveRunner, noLiveStreams } from '../../../src/transport/server/live-runner.js';
import type { AudioLimits, LiveAnswer, LiveEntry } from '../../../src/transport/server/protocol.js';
import { createEngine, FAKE_MODEL, FOREIGN, OPENING, packet, word } from '../../support/fake-engine.js';

type Step = readonly [stream: number, operation: LiveEntry['operation'], message?: Uint8Array];

async function runner(limits: AudioLimits = { audioPerSecond: 1, audioBurst: 1000 }): Promise<{
  readonly live: LiveRunner;
  readonly troubles: unknown[];
  run(...steps: Step[]): LiveAnswer[];
}> {
  const engine = await createEngine(null);
  const troubles: unknown[] = [];
  const live = new LiveRunner(engine.live as LiveDecoder, FAKE_MODEL, limits, (error) =>
    troubles.push(error),
  );
  return {
    live,
    troubles,
    run(...steps) {
      const messages = steps.map(([, , message = new Uint8Array()]) => message);
      const bytes = Uint8Array.from(messages.flatMap((message) => [...message]));
      return live.run(
        steps.map(([stream, operation], i) => ({ stream, operation, length: messages[i]!.length })),
        bytes.buffer,
      );
    },
  };
}

const messagesOf = ({ messages }: LiveAnswer): Record<string, unknown>[] =>
  messages.map((text) => JSON.parse(text) as Record<string, unknown>);

t.test('a stream from its opening to its end', async (t) => {
  const { live, run } = await runner();
  const [opened] = run([1, 'open', OPENING]);
  t.same(messagesOf(opened!), [{ type: 'ready', model: 'fake', fingerprint: '0badcafe' }]);
  const [first] = run([1, 'packet', word('yes')]);
  const yes = { word: 'yes', start: 1, end: 1.5, confidence: 0.5 };
  t.same(messagesOf(first!), [
    { type: 'update', words: [yes], partial: 'batch of 1', packets: 1, lost: 0, seconds: 1 },
  ]);
  run([1, 'packet', packet('gap')]);
  const [last] = run([1, 'packet', packet('last')]);
  t.same(last!.done, true);
  t.same(messagesOf(last!), [
    { type: 'update', words: [], partial: 'batch of 1', packets: 3, lost: 1, seconds: 3 },
    { type: 'final', text: 'yes', words: [yes], packets: 3, lost: 1, seconds: 3 },
  ]);
  t.equal(live.size, 0);
});

t.test('a stream that brings more sound than anybody can have heard is ended', async (t) => {
  // Each packet of this engine stands for a second.
  const { live, run } = await runner({ audioPerSecond: 1e-9, audioBurst: 3 });
  run([1, 'open', OPENING], [2, 'open', OPENING]);
  for (let n = 0; n < 3; n++) t.same(run([1, 'packet', word('yes')])[0]!.error, null);
  t.match(run([1, 'packet', word('yes')])[0], { messages: [], error: { code: 'ACOM_RATE' } });
  t.equal(live.size, 1, 'the other one goes on');
  t.same(run([2, 'packet', word('yes')])[0]!.error, null);
  const patient = await runner({ audioPerSecond: 1e9, audioBurst: 2 });
  patient.run([1, 'open', OPENING]);
  for (let n = 0; n < 50; n++) t.same(patient.run([1, 'packet', word('yes')])[0]!.error, null);
});

t.test('an end that is asked for makes words final', async (t) => {
  const { live, run } = await runner();
  run([1, 'open', OPENING], [2, 'open', OPENING]);
  run([1, 'packet', word('yes')]);
  const [final, closing] = run([1, 'final'], [2, 'closing']);
  t.match(messagesOf(final!), [
    { type: 'update', words: [{ word: 'end' }] },
    { type: 'final', text: 'yes end', words: [{ word: 'yes' }, { word: 'end' }], packets: 1 },
  ]);
  t.match(messagesOf(closing!).at(-1), { type: 'closing', text: 'end', packets: 0 });
  t.ok(final!.done && closing!.done);
  t.equal(live.size, 0);
});

t.test(
  'packets of several streams are one batch, and one that is damaged costs its own stream',
  async (t) => {
    const { live, troubles, run } = await runner();
    run([1, 'open', OPENING], [2, 'open', OPENING], [3, 'open', OPENING]);
    const [a, b, c, d] = run(
      [1, 'packet', word('yes')],
      [2, 'packet', Uint8Array.of(99)],
      [4, 'open', OPENING],
      [3, 'packet', word('no')],
    );
    t.match(messagesOf(a!), [{ words: [{ word: 'yes' }], partial: 'batch of 3' }]);
    t.same(b, { messages: [], done: false, error: { code: 'ACOM_CORRUPT', message: 'packet 1 is damaged' } });
    t.match(messagesOf(c!), [{ type: 'ready' }]);
    t.match(messagesOf(d!), [{ words: [{ word: 'no' }] }]);
    t.equal(live.size, 3);
    const [gone] = run([2, 'packet', word('yes')]);
    t.equal(gone!.error?.code, 'ACOM_INTERNAL', 'the damaged one is not there any more');
    t.equal(troubles.length, 1);
    const [foreign, malformed] = run([7, 'open', FOREIGN], [8, 'open', Uint8Array.of(1)]);
    t.equal(foreign!.error?.code, 'ACOM_MODEL_MISMATCH');
    t.equal(malformed!.error?.code, 'ACOM_FORMAT');
    live.drop([1, 3, 4, 99]);
    t.equal(live.size, 0);
  },
);

t.test('mistakes of the decoder are not told to clients', async (t) => {
  const { live, troubles, run } = await runner();
  run([1, 'open', OPENING], [2, 'open', OPENING]);
  const [one, two] = run([1, 'packet', packet('mistake')], [2, 'packet', word('yes')]);
  t.equal(one!.error?.code, 'ACOM_INTERNAL');
  t.notMatch(one!.error?.message, /secret/);
  t.match(messagesOf(two!), [{ type: 'update' }]);
  t.match(troubles, [{ message: 'a secret of the server' }]);
  run([3, 'open', OPENING]);
  const both = run([2, 'packet', packet('batchMistake')], [3, 'packet', word('yes')]);
  t.same(
    both.map(({ error }) => error?.code),
    ['ACOM_INTERNAL', 'ACOM_INTERNAL'],
    'nobody knows what the batch took',
  );
  t.equal(live.size, 0);
});

t.test('the refusal of live streams names the other way', async (t) => {
  t.match(noLiveStreams({ ...FAKE_MODEL, task: 'classification' }).message, /classifies.*\/v1\/decode/);
  t.equal(noLiveStreams(FAKE_MODEL).status, 404);
});
