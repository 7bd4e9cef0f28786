/** Words from labels: whole words, and words put together of pieces. */
import t from 'tap';
import { decodeWords, textOf } from '../../src/tasks/index.js';
import { type Tensor, view } from '../../src/tensor/index.js';

/** Log-probabilities of frames that are each sure of one class by `certainty`. */
function sure(frames: readonly number[], classes: number, certainty: readonly number[]): Tensor {
  const data = frames.flatMap((best, n) =>
    Array.from({ length: classes }, (_, c) =>
      Math.log(c === best ? certainty[n]! : (1 - certainty[n]!) / (classes - 1)),
    ),
  );
  return view(Float32Array.from(data), [frames.length, classes]);
}

const LABELS = ['<blank>', '\u2581yes', '\u2581sev', 'en', '', '\u2581', 'ty'];

t.test('labels that are words', async (t) => {
  const logProbs = sure([1, 1, 0, 3, 0, 3], 4, [0.9, 0.9, 0.9, 0.9, 0.9, 0.9]);
  const words = decodeWords(logProbs, { labels: ['<blank>', 'yes', 'no', 'on'] }, 0.1, 2);
  t.equal(textOf(words), 'yes on on');
  t.same(
    words.map(({ start, end }) => [start, end]),
    [
      [2, 2.2],
      [2.3, 2.4],
      [2.5, 2.6],
    ],
  );
});

t.test('labels that are pieces: the mark begins a word, and is not in it', async (t) => {
  const cases: [frames: number[], text: string][] = [
    [[2, 3, 1], 'seven yes'],
    [[2, 0, 3, 6, 0, 1], 'seventy yes'],
    // The end of a sentence has no text; a piece before any mark begins a word all the same.
    [[4, 3, 2, 3, 4], 'en seven'],
    // A mark alone begins the word of the pieces behind it.
    [[5, 3, 5, 6], 'en ty'],
    [[5, 4, 5], ''],
    [[0, 0], ''],
  ];
  for (const [frames, text] of cases) {
    const logProbs = sure(
      frames,
      LABELS.length,
      frames.map(() => 0.9),
    );
    t.equal(textOf(decodeWords(logProbs, { labels: LABELS, units: 'pieces' }, 0.04, 0)), text, frames.join());
  }
});

t.test(
  'a word lasts from its first piece to its last, with the geometric mean of their confidences',
  async (t) => {
    const logProbs = sure([0, 2, 0, 3, 3, 0], LABELS.length, [0.9, 0.8, 0.9, 0.5, 0.5, 0.9]);
    const [word, ...more] = decodeWords(logProbs, { labels: LABELS, units: 'pieces' }, 0.1, 1);
    t.same(more, []);
    t.equal(word!.word, 'seven');
    t.same([word!.start, word!.end], [1.1, 1.5]);
    t.ok(Math.abs(word!.confidence - Math.sqrt(0.8 * 0.5)) < 1e-6, String(word!.confidence));
  },
);
