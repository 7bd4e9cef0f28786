/** Words from chunks are the words of the whole, and none is taken back. */
import fc from 'fast-check';
import t from 'tap';
import { decodeWords, LiveWords, type Vocabulary, type Word } from '../../src/tasks/index.js';
import { view } from '../../src/tensor/index.js';

const WHOLE: Vocabulary = { labels: ['<blank>', 'yes', 'no', 'on'] };
const PIECES: Vocabulary = {
  labels: ['<blank>', '\u2581yes', '\u2581sev', 'en', '', '\u2581', 'ty'],
  units: 'pieces',
};

t.test('any path in any chunks', async (t) => {
  for (const vocabulary of [WHOLE, PIECES]) {
    const classes = vocabulary.labels.length;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: classes - 1 }), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 40, maxLength: 40 }),
        fc.double({ min: 0.5, max: 0.99, noNaN: true }),
        (path, sizes, certainty) => {
          const data = Float32Array.from(
            path.flatMap((label) =>
              vocabulary.labels.map((_, c) => Math.log(c === label ? certainty : (1 - certainty) / classes)),
            ),
          );
          const live = new LiveWords(vocabulary, 0.04);
          const words: Word[] = [];
          for (let from = 0, n = 0; from < path.length; from += sizes[n]!, n++) {
            const frames = Math.min(sizes[n]!, path.length - from);
            words.push(
              ...live.push(view(data.slice(from * classes, (from + frames) * classes), [frames, classes])),
            );
          }
          words.push(...live.finish());
          t.same(words, decodeWords(view(data, [path.length, classes]), vocabulary, 0.04, 0));
          t.equal(live.partial, null);
        },
      ),
      { numRuns: 300 },
    );
  }
});

t.test('where no piece begins a word, what is kept does not grow with the stream', async (t) => {
  const live = new LiveWords(PIECES, 0.04);
  const said = (label: number) =>
    view(
      Float32Array.from(PIECES.labels, (_, c) => (c === label ? -0.1 : -5)),
      [1, PIECES.labels.length],
    );
  let [text, longest] = ['', 0];
  for (let n = 0; n < 2000; n++) {
    for (const { word } of live.push(said(n % 2 === 0 ? 3 : 6))) text += word;
    longest = Math.max(longest, live.partial?.length ?? 0);
  }
  for (const { word } of live.finish()) text += word;
  t.equal(text, 'enty'.repeat(1000), 'nothing is lost');
  t.ok(longest < 1000, `${longest} characters are kept at most`);
});

t.test('a word is partial while it is said, and a gap ends it', async (t) => {
  const live = new LiveWords(WHOLE, 0.1);
  const said = (label: number) =>
    view(Float32Array.from([0, 1, 2, 3].map((c) => Math.log(c === label ? 0.97 : 0.01))), [1, 4]);
  t.same(live.push(said(1)), []);
  t.equal(live.partial, 'yes');
  t.same(live.push(said(1)), []);
  t.match(live.push(said(0)), [{ word: 'yes', start: 0, end: 0.2 }]);
  t.equal(live.partial, null);
  live.push(said(2));
  t.match(live.skip(10), [{ word: 'no', start: 0.3, end: 0.4 }]);
  live.push(said(2));
  t.match(live.finish(), [{ word: 'no', start: 1.4, end: 1.5 }], 'the same word after the gap is another');
});
