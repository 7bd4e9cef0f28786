/** Words from pieces of words: against the texts that the SentencePiece library makes of the same pieces. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decodeWords, textOf } from '../../src/tasks/recognition.js';
import { type Tensor, view } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';

interface Golden {
  readonly pieces: readonly [text: string, score: number, type: string][];
  readonly cases: readonly [ids: number[], text: string][];
}

/** Log-probabilities whose greedy path is this, one class a frame. */
function pathLogProbs(path: readonly number[], classes: number): Tensor {
  const likely = Math.log(0.9);
  const data = new Float32Array(path.length * classes).fill(Math.log(0.1 / (classes - 1)));
  path.forEach((c, frame) => {
    data[frame * classes + c] = likely;
  });
  return view(data, [path.length, classes]);
}

/** Ids as a path, with a blank between equal ones. */
const pathOf = (ids: readonly number[]): number[] =>
  ids.flatMap((id, i) => (id === ids[i - 1] ? [0, id] : [id]));

/** Spaces do not count, nor how many bytes of half a character there are: a transcript is words. */
const plain = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\ufffd+/g, '\ufffd')
    .trim();

for (const name of ['unigram', 'bytes', 'plain']) {
  t.test(`texts of the library: ${name}`, async (t) => {
    const file = join(repository, 'test/fixtures/sentencepiece', `${name}.json`);
    const { pieces, cases } = JSON.parse(readFileSync(file, 'utf8')) as Golden;
    const labels = pieces.map(([text, , type]) => (type === 'control' || type === 'unknown' ? '' : text));
    const isControl = (id: number) => pieces[id]![2] === 'control';
    // Piece 0 is the blank; the end of a sentence in the middle of a character is none that a network hears.
    const heard = cases.filter(([ids]) => !ids.includes(0) && !ids.slice(0, -1).some(isControl));
    t.ok(heard.length > 40, `${heard.length} cases`);
    for (const [ids, text] of heard) {
      const words = decodeWords(
        pathLogProbs(pathOf(ids), labels.length),
        { labels, units: 'pieces' },
        0.04,
        0,
      );
      t.equal(plain(textOf(words)), plain(text), JSON.stringify(ids));
    }
  });
}

t.test('times and confidence of a word are those of its pieces', async (t) => {
  const labels = ['', '\u2581on', 'e', '\u2581', '\u2581two', '</s>'];
  const vocabulary = {
    labels: labels.map((label) => (label === '</s>' ? '' : label)),
    units: 'pieces',
  } as const;
  const logProbs = pathLogProbs([0, 1, 1, 2, 0, 5, 3, 4, 0], labels.length);
  const words = decodeWords(logProbs, vocabulary, 0.5, 10);
  t.match(words, [
    { word: 'one', start: 10.5, end: 12 },
    { word: 'two', start: 13.5, end: 14 },
  ]);
  for (const { confidence } of words) t.ok(Math.abs(confidence - 0.9) < 1e-6, `${confidence}`);
  t.equal(textOf(words), 'one two');
  const beam = decodeWords(logProbs, vocabulary, 0.5, 10, { beam: 4 });
  t.equal(textOf(beam), 'one two', 'and with a beam');
});

t.test('pieces without a start, and labels that are words', async (t) => {
  const logProbs = pathLogProbs([1, 0, 1, 2], 3);
  t.equal(
    textOf(decodeWords(logProbs, { labels: ['', 'a', '\u2581b\u2581c'], units: 'pieces' }, 1, 0)),
    'aa b c',
  );
  t.equal(textOf(decodeWords(logProbs, { labels: ['', 'a', '<0x41>'] }, 1, 0)), 'a a <0x41>');
});
