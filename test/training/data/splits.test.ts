/** Splits: nobody on two sides, nobody moves when others come, shares as asked for. */
import fc from 'fast-check';
import t from 'tap';
import { UsageError } from '../../../src/tensor/index.js';
import {
  type Clip,
  type SpeakerSplit,
  splitByFold,
  splitBySpeaker,
  splitOf,
  withoutDuplicates,
} from '../../../src/training/data/index.js';

const clip = (path: string, speaker: string | null, more: Partial<Clip> = {}): Clip => ({
  path,
  file: `/${path}`,
  words: [],
  label: '',
  speaker,
  sampleRate: 8000,
  samples: 1,
  ...more,
});

const SPLIT: SpeakerSplit = { shares: { train: 0.7, validation: 0.1, test: 0.2 } };
/** By sha1sum: the first 48 bits of the SHA-1 of a zero byte and the name, over 2^48. */
const GOLDEN = ['train', 'train', 'train', 'train', 'validation', 'train', 'test', 'train'];

const clipsOf = fc.array(
  fc.tuple(fc.string(), fc.option(fc.string(), { freq: 3 })).map(([path, speaker]) => clip(path, speaker)),
  { maxLength: 60 },
);

t.test('parts are disjoint by speaker, complete, and independent of order and company', async (t) => {
  const property = fc.property(clipsOf, fc.string(), (clips, salt) => {
    const split = { ...SPLIT, salt };
    const parts = splitBySpeaker(clips, split);
    const all = Object.entries(parts);
    const sides = new Map<string, Set<string>>();
    for (const [name, part] of all) {
      for (const { speaker, path } of part) {
        const key = speaker ?? path;
        sides.set(key, (sides.get(key) ?? new Set()).add(name));
      }
    }
    const turned = splitBySpeaker([...clips].reverse(), split);
    const half = splitBySpeaker(clips.slice(0, clips.length >> 1), split);
    return (
      all.reduce((sum, [, part]) => sum + part.length, 0) === clips.length &&
      [...sides.values()].every(({ size }) => size === 1) &&
      parts.test.every((each) => turned.test.includes(each)) &&
      half.train.every((each) => parts.train.includes(each))
    );
  });
  fc.assert(property, { seed: 8 });
  t.pass();
});

t.test('shares of many speakers, whatever their names are like', async (t) => {
  for (const name of [(i: number) => `speaker ${i}`, (i: number) => i.toString(16).padStart(8, '0')]) {
    const counts = { train: 0, validation: 0, test: 0 };
    for (let i = 0; i < 5000; i++) counts[splitOf(name(i), SPLIT)]++;
    t.ok(Math.abs(counts.train / 5000 - 0.7) < 0.02, JSON.stringify(counts));
    t.ok(Math.abs(counts.validation / 5000 - 0.1) < 0.02);
  }
});

t.test('the split of a name never changes', async (t) => {
  // Another result here is another split of every model that was trained.
  const names = ['george', 'jackson', 'lucas', 'nicolas', 'theo', 'yweweler', 'sc-439c84f4', 'sc-563aa4e6'];
  t.same(
    names.map((name) => splitOf(name, SPLIT)),
    GOLDEN,
  );
  const salted = names.map((name) => splitOf(name, { ...SPLIT, salt: 'other' }));
  t.notSame(salted, GOLDEN);
  t.equal(splitOf('theo', { ...SPLIT, fixed: { theo: 'validation' } }), 'validation');
  t.equal(splitOf('toString', { ...SPLIT, fixed: {} }), splitOf('toString', SPLIT));
});

t.test('shares that make no sense, and shares of 0', async (t) => {
  for (const shares of [
    {},
    { train: 0 },
    { train: -1, test: 2 },
    { train: Number.NaN },
    { test: Infinity },
  ]) {
    t.throws(() => splitOf('a', { shares }), UsageError, JSON.stringify(shares));
  }
  for (let i = 0; i < 100; i++) {
    t.equal(splitOf(`${i}`, { shares: { validation: 3 } }), 'validation');
  }
});

t.test('folds', async (t) => {
  const clips = [1, 2, 3, 1, 2].map((fold, i) => clip(`${i}`, null, { fold }));
  const { held, others } = splitByFold(clips, [2, 3]);
  t.same(
    [held, others].map((part) => part.map(({ path }) => path)),
    [
      ['1', '2', '4'],
      ['0', '3'],
    ],
  );
  t.throws(() => splitByFold([...clips, clip('x', null)], [1]), UsageError);
});

t.test('duplicates', async (t) => {
  const clips = [
    clip('a', 's', { sha1: '1' }),
    clip('b', 's'),
    clip('c', 's', { sha1: '2' }),
    clip('d', 't', { sha1: '1' }),
    clip('e', 't'),
  ];
  t.same(
    withoutDuplicates(clips).map(({ path }) => path),
    ['a', 'b', 'c', 'e'],
  );
});
