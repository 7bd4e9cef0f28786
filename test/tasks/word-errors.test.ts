import fc from 'fast-check';
import t from 'tap';
import { wordErrorRate, wordErrors, wordsOf } from '../../src/tasks/word-errors.js';

t.test('edit distance', async (t) => {
  const distance = (a: string, b: string) => wordErrors(wordsOf(a), wordsOf(b));
  t.equal(distance('one two three', 'one two three'), 0);
  t.equal(distance('one two three', 'one three'), 1);
  t.equal(distance('one two', 'one six two'), 1);
  t.equal(distance('one two', 'ONE  four'), 1);
  t.equal(distance('', 'a b'), 2);
  t.equal(distance('a b', ''), 2);
  const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 });
  const property = fc.property(words, words, words, (a, b, c) => {
    const ab = wordErrors(a, b);
    return (
      ab === wordErrors(b, a) &&
      ab <= Math.max(a.length, b.length) &&
      ab >= Math.abs(a.length - b.length) &&
      (ab === 0) === (a.join() === b.join()) &&
      wordErrors(a, c) <= ab + wordErrors(b, c)
    );
  });
  fc.assert(property, { seed: 6 });
});

t.test('the interval holds the rate and repeats', async (t) => {
  const tallies = Array.from({ length: 60 }, (_, i) => ({ words: 3, errors: i % 10 === 0 ? 1 : 0 }));
  const found = wordErrorRate(tallies);
  t.equal(found.words, 180);
  t.equal(found.errors, 6);
  t.equal(found.rate, 6 / 180);
  t.ok(found.interval[0] < found.rate && found.rate < found.interval[1], String(found.interval));
  t.same(wordErrorRate(tallies), found);
  // Binomial over utterances: the deviation of the rate is sqrt(60 · 0.1 · 0.9) / 180 = 0.0129.
  t.ok(Math.abs(found.interval[1] - found.interval[0] - 4 * 0.0129) < 0.012);
  t.same(wordErrorRate([]), { words: 0, errors: 0, rate: 0, interval: [0, 0] });
});
