/** Turns, expiry, answers as devices read them. */
import t from 'tap';
import { errorIn, parseAnswer } from '../../../src/transport/mqtt/index.js';
import { secondsLeft } from '../../../src/transport/mqtt/request.js';
import { Turns } from '../../../src/transport/mqtt/turns.js';

t.test('as much is under way as there is room for, in order', async (t) => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const all = [0, 1, 2, 3, 4].map((n) => turns.begin().then(() => begun.push(n)));
  await Promise.all(all.slice(0, 2));
  t.same(begun, [0, 1]);
  turns.end();
  await all[2];
  t.same(begun, [0, 1, 2]);
  turns.setRoom(3);
  await all[3];
  t.same(begun, [0, 1, 2, 3], 'more room, the next one');
  turns.setRoom(1);
  turns.end();
  turns.end();
  await new Promise((next) => setImmediate(next));
  t.same(begun, [0, 1, 2, 3], 'less room: one is still under way');
  const refused = t.rejects(all[4]!, { code: 'ACOM_BROKER', message: /closed/ });
  turns.close();
  await refused;
  await t.rejects(turns.begin(), { code: 'ACOM_BROKER' });
});

t.test('not more wait than can be', async (t) => {
  const turns = new Turns(0);
  const waiting = Array.from({ length: 1 << 16 }, () => turns.begin().catch(() => 'refused'));
  await t.rejects(turns.begin(), { code: 'ACOM_BROKER', message: /65536 publications wait already/ });
  turns.close();
  t.same(new Set(await Promise.all(waiting)), new Set(['refused']));
});

t.test('time that is left for an answer', async (t) => {
  t.equal(secondsLeft(undefined, 1e9), undefined, 'what never expires');
  t.equal(secondsLeft(10, 2500), 7.5);
  t.equal(secondsLeft(1, 1500), -0.5);
});

t.test('answers of whoever may publish them', async (t) => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  t.same(parseAnswer(bytes('{"text":"go"}')), { text: 'go' });
  for (const text of ['', 'go', '[]', 'null', '"x"', '{"a":']) {
    t.throws(() => parseAnswer(bytes(text)), { code: 'ACOM_FORMAT' }, text);
  }
  t.throws(() => parseAnswer(Uint8Array.of(0x22, 0xff, 0x22)), { code: 'ACOM_FORMAT' }, 'no UTF-8');
  t.equal(errorIn({ text: 'go' }), null);
  t.same(errorIn({ error: { code: 'ACOM_FORMAT', message: 'no' } }), { code: 'ACOM_FORMAT', message: 'no' });
  for (const error of [null, 1, 'x', {}, { code: 7, message: [] }]) {
    t.match(errorIn({ error }), { code: 'ACOM_UNKNOWN', message: /which/ });
  }
});
