/** What the page believes of what a server says. */
import t from 'tap';
import { parseAnswer } from '../../src/web/answers.js';

const word = { word: 'two', start: 0.5, end: 0.8, confidence: 0.9 };
const parse = (value: unknown) => parseAnswer(JSON.stringify(value));

t.test('answers of the protocol', async (t) => {
  t.same(parse({ type: 'ready', model: 'm', fingerprint: '0' }), { type: 'ready' });
  t.same(parse({ type: 'update', words: [word], partial: null, packets: 1, lost: 0, seconds: 1 }), {
    type: 'update',
    words: [word],
    partial: null,
  });
  t.match(parse({ type: 'update', words: [], partial: 'se' }), { partial: 'se' });
  t.same(parse({ type: 'final', text: 'two', words: [word] }), { type: 'final', words: [word] });
  t.same(parse({ type: 'closing', words: [] }), { type: 'closing', words: [] });
  t.match(parse({ type: 'error', code: 'ACOM_RATE', message: 'slower' }), { code: 'ACOM_RATE' });
});

t.test('anything else is no answer', async (t) => {
  for (const bad of [
    null,
    7,
    [],
    {},
    { type: 'other' },
    { type: 'update', partial: null },
    { type: 'final' },
    { type: 'closing', words: [7] },
    { type: 'update', words: 'two', partial: null },
    { type: 'update', words: [{ ...word, word: 7 }], partial: null },
    { type: 'update', words: [{ ...word, confidence: null }], partial: null },
    { type: 'update', words: [null], partial: null },
    { type: 'update', words: [word] },
    { type: 'error', code: 'X' },
  ]) {
    t.equal(parse(bad), null, JSON.stringify(bad));
  }
  t.equal(parseAnswer('{'), null);
  t.equal(parseAnswer(new ArrayBuffer(4)), null);
});
