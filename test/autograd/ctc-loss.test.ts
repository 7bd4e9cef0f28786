import fc from 'fast-check';
import t from 'tap';
import { ctcLoss, Tape } from '../../src/autograd/index.js';
import { createRandom, flat, ShapeError, scope, UsageError, view, zeros } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(5);

/** The definition: the probabilities of all paths that read as the labels, added up. */
function byEnumeration(logits: readonly number[][], labels: readonly number[]): number {
  const classes = logits[0]!.length;
  const probabilities = logits.map((row) => {
    const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
    return row.map((x) => Math.exp(x) / total);
  });
  let sum = 0;
  for (let path = 0; path < classes ** logits.length; path++) {
    const steps = logits.map((_, t) => Math.floor(path / classes ** t) % classes);
    const read = steps.filter((c, t) => c !== 0 && c !== steps[t - 1]);
    if (read.join() !== labels.join()) continue;
    sum += steps.reduce((product, c, t) => product * probabilities[t]![c]!, 1);
  }
  return -Math.log(sum);
}

t.test('is the sum over all alignments', async () => {
  const cases = fc.record({
    frames: fc.integer({ min: 1, max: 5 }),
    labels: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 3 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(cases, ({ frames, labels, seed }) => {
      const logits = randomTensor(createRandom(seed), frames, 3);
      const rows = Array.from({ length: frames }, (_, t) => [...flat(logits.pick(t, null))]);
      const expected = byEnumeration(rows, labels);
      const { perRecording, infeasible } = ctcLoss(new Tape().variable(logits), [frames], [labels]);
      if (infeasible === 1) return expected === Infinity && perRecording[0] === 0;
      return Math.abs(perRecording[0]! - expected) < 1e-6;
    }),
    { numRuns: 200 },
  );
});

t.test('gradients, a recording that is too short among the others', async (t) => {
  const lengths = [7, 3, 0, 5, 2];
  const targets = [[2, 2, 1], [3], [], [], [1, 1]];
  checkGradients(t, 'ctcLoss', {
    f: (x) => ctcLoss(x!, lengths, targets).loss,
    inputs: [randomTensor(random, 17, 4)],
  });
  const tape = new Tape();
  const logits = tape.variable(randomTensor(random, 17, 4));
  const { loss, infeasible, perRecording } = ctcLoss(logits, lengths, targets);
  tape.backward(loss);
  t.equal(infeasible, 1);
  t.equal(perRecording[4], 0);
  t.ok(
    flat(logits.gradient!)
      .subarray(15 * 4)
      .every((x) => x === 0),
    'no gradient',
  );
});

t.test('long and certain recordings stay finite', async (t) => {
  const [frames, classes] = [3000, 40];
  const labels = Array.from({ length: 400 }, (_, i) => 1 + (i % 39));
  const logits = randomTensor(random, frames, classes);
  for (let i = 0; i < logits.data.length; i++) logits.data[i]! *= 60;
  scope(() => {
    const tape = new Tape();
    const x = tape.variable(logits);
    const { loss, perRecording } = ctcLoss(x, [frames], [labels]);
    tape.backward(loss);
    t.ok(Number.isFinite(perRecording[0]), String(perRecording[0]));
    const gradient = flat(x.gradient!);
    t.ok(gradient.every((g) => g >= -1.001 && g <= 1.001));
    // What the posterior gives to a frame adds up to 1, as its softmax does.
    const rows = Array.from({ length: frames }, (_, n) =>
      gradient.subarray(n * classes, (n + 1) * classes).reduce((sum, g) => sum + g, 0),
    );
    t.ok(Math.max(...rows.map(Math.abs)) < 1e-4);
    return zeros([1]);
  });
});

t.test('NaN reaches the loss', async (t) => {
  const logits = view(Float32Array.of(0, Number.NaN, 0, 1, 1, 1), [2, 3]);
  t.ok(Number.isNaN(ctcLoss(new Tape().variable(logits), [2], [[1]]).perRecording[0]));
});

t.test('what does not fit is refused', async (t) => {
  const x = new Tape().variable(zeros([4, 3]));
  t.throws(() => ctcLoss(x, [4], [[1], [2]]), ShapeError);
  t.throws(() => ctcLoss(x, [3], [[1]]), ShapeError);
  t.throws(() => ctcLoss(x, [4], [[0]]), UsageError);
  t.throws(() => ctcLoss(x, [4], [[3]]), UsageError);
  t.throws(() => ctcLoss(new Tape().variable(zeros([4])), [4], [[1]]), ShapeError);
});
