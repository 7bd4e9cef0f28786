/** Utterances: words in order, at their places and levels, over a floor; and the whole chain from a seed. */
import t from 'tap';
import { createRandom, UsageError } from '../../../src/tensor/index.js';
import {
  activePart,
  activePower,
  augmentSpeech,
  composeUtterance,
  meanPower,
  type SpeechAugmentation,
  STRONG,
  trimmed,
} from '../../../src/training/augmentation/index.js';
import { amplitudeAt, sine } from '../../support/spectra.js';

const RATE = 8000;

/** A tone with silence around it. */
function spoken(word: string, hertz: number, before: number, length: number, after: number) {
  const samples = new Float32Array(before + length + after);
  samples.set(sine(hertz, RATE, length), before);
  return { word, samples };
}

const WORDS = [
  spoken('one', 300, 2000, 3000, 500),
  spoken('two', 600, 0, 2400, 4000),
  spoken('three', 1200, 800, 4000, 800),
];
const QUIET = {
  sampleRate: RATE,
  floorDecibels: [60, 60],
  levelDecibels: [-20, -20],
  wordDecibels: [0, 0],
} as const;

t.test('the active part of a sound', async (t) => {
  const { samples } = WORDS[0]!;
  const [begin, end] = activePart(samples, RATE);
  t.ok(Math.abs(begin - 2000) <= 80 && Math.abs(end - 5000) <= 80, `${begin}, ${end}`);
  t.ok(Math.abs(activePower(samples, RATE) - 0.5) < 0.02);
  t.same(activePart(new Float32Array(99), RATE), [0, 0]);
  t.equal(trimmed(new Float32Array(900), RATE).length, 120, 'of silence only margins are left');
});

t.test('words stand where the boundaries say, in order, at one level', async (t) => {
  const { samples, words, boundaries } = composeUtterance(WORDS, createRandom(1), QUIET);
  t.same(words, ['one', 'two', 'three']);
  for (const [i, { begin, end }] of boundaries.entries()) {
    const part = samples.subarray(begin, end);
    const own = amplitudeAt(part, [300, 600, 1200][i]!, RATE);
    const other = amplitudeAt(part, [600, 1200, 300][i]!, RATE);
    t.ok(own > 10 * other, `word ${i}`);
    const level = 10 * Math.log10(activePower(part.subarray(200, part.length - 200), RATE));
    t.ok(Math.abs(level + 20) < 0.5, `${level.toFixed(2)} dB`);
    const [first, last] = [i === 0 ? 0 : boundaries[i - 1]!.end, begin];
    t.ok(last - first >= 0 && last - first <= (i === 0 ? 0.4 : 0.3) * RATE);
    t.ok(Math.abs(end - begin - [3000, 2400, 4000][i]!) < 500, 'silence is cut off');
  }
  t.ok(samples.length - boundaries[2]!.end <= 0.4 * RATE);
});

t.test('the floor is as far under the words as it should be', async (t) => {
  const edge = { ...QUIET, edgeSeconds: [0.5, 0.5], gapSeconds: [0, 0] } as const;
  for (const floorDecibels of [
    [20, 20],
    [40, 40],
  ] as const) {
    const { samples } = composeUtterance(WORDS, createRandom(2), { ...edge, floorDecibels });
    const floor = meanPower(samples.subarray(0, 4000));
    t.ok(Math.abs(10 * Math.log10(0.01 / floor) - floorDecibels[0]) < 1.5);
  }
  const floor = sine(50, RATE, 100);
  const { samples } = composeUtterance(WORDS, createRandom(2), { ...edge, floor });
  t.ok(amplitudeAt(samples.subarray(0, 4000), 50, RATE) > 0, 'from a recording shorter than the utterance');
});

t.test('the same seed, the same utterance; words may overlap; there must be some', async (t) => {
  const once = composeUtterance(WORDS, createRandom(3), { sampleRate: RATE });
  const again = composeUtterance(WORDS, createRandom(3), { sampleRate: RATE });
  t.ok(again.samples.every((x, n) => x === once.samples[n]));
  t.same(again.boundaries, once.boundaries);
  t.not(composeUtterance(WORDS, createRandom(4), { sampleRate: RATE }).samples.length, once.samples.length);
  const close = composeUtterance(WORDS, createRandom(3), { ...QUIET, gapSeconds: [-0.05, -0.05] });
  t.equal(close.boundaries[1]!.begin, close.boundaries[0]!.end - 400);
  t.throws(() => composeUtterance([], createRandom(1), QUIET), UsageError);
  const silent = composeUtterance([{ word: 'x', samples: new Float32Array(50) }], createRandom(1), QUIET);
  t.ok(silent.samples.every((x) => x === 0));
});

t.test('every step of the chain does something, and the same from the same seed', async (t) => {
  const { samples } = composeUtterance(WORDS, createRandom(5), { sampleRate: RATE });
  const isSame = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((x, n) => x === b[n]);
  const always = (step: SpeechAugmentation) => augmentSpeech(samples, RATE, createRandom(6), step);
  for (const [name, step] of Object.entries(STRONG)) {
    const out = always({ [name]: { ...step, chance: 1 } });
    t.ok(out.every(Number.isFinite), name);
    t.notOk(isSame(out, samples), name);
    t.ok(isSame(always({ [name]: { ...step, chance: 0 } }), samples), `${name} never`);
  }
  const noises = [sine(50, RATE, 1000)];
  for (let seed = 0; seed < 40; seed++) {
    const once = augmentSpeech(samples, RATE, createRandom(seed), STRONG, noises);
    t.ok(isSame(augmentSpeech(samples, RATE, createRandom(seed), STRONG, noises), once), `seed ${seed}`);
    t.ok(once.every(Number.isFinite));
    t.ok(once.length > 0.5 * samples.length && once.length < 1.6 * samples.length);
  }
  const given = samples.slice();
  augmentSpeech(samples, RATE, createRandom(1), STRONG, noises);
  t.ok(isSame(samples, given), 'what is given stays as it is');
});
