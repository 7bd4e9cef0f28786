import t from 'tap';
import { crossEntropy, scalarOf, Tape } from '../../src/autograd/index.js';
import { createRandom, flat, ShapeError, UsageError, view, zeros } from '../../src/tensor/index.js';
import { drawMixup, mixTargets, oneHot, smoothTargets } from '../../src/training/targets.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(8);
const [rows, classes] = [5, 4];
const labels = [0, 3, 1, 1, 2];
const logits = randomTensor(random, rows, classes);
const mixed = mixTargets(smoothTargets(oneHot(labels, classes), 0.1), drawMixup(rows, 0.4, random));

/** The definition in float64. */
function expected(q: Float32Array): number {
  let sum = 0;
  for (let n = 0; n < rows; n++) {
    const row = [...flat(logits.pick(n, null))];
    const total = Math.log(row.reduce((s, x) => s + Math.exp(x), 0));
    row.forEach((x, c) => {
      sum -= q[n * classes + c]! * (x - total);
    });
  }
  return sum;
}

const loss = (...rest: [Parameters<typeof crossEntropy>[1], Parameters<typeof crossEntropy>[2]?]) =>
  scalarOf(crossEntropy(new Tape().variable(logits), ...rest));

t.test('values', async (t) => {
  const close = (got: number, right: number, name: string) => t.ok(Math.abs(got - right) < 1e-5, name);
  close(loss(labels), expected(flat(oneHot(labels, classes))), 'class numbers');
  close(loss(mixed), expected(flat(mixed)), 'probabilities');
  const smoothed = smoothTargets(oneHot(labels, classes), 0.2);
  close(loss(labels, { smoothing: 0.2 }), expected(flat(smoothed)), 'smoothed class numbers');
  close(
    loss(oneHot(labels, classes), { smoothing: 0.2 }),
    expected(flat(smoothed)),
    'smoothed probabilities',
  );
});

t.test('gradients', async (t) => {
  checkGradients(t, 'class numbers', {
    f: (x) => crossEntropy(x!, labels, { smoothing: 0.1 }),
    inputs: [logits],
  });
  checkGradients(t, 'probabilities', { f: (x) => crossEntropy(x!, mixed), inputs: [logits] });
});

t.test('an impossible class costs nothing where nobody wants it', async (t) => {
  const tape = new Tape();
  const x = tape.variable(view(Float32Array.of(0, -Infinity, 0), [1, 3]));
  const y = crossEntropy(x, [2]);
  tape.backward(y);
  t.ok(Math.abs(scalarOf(y) - Math.log(2)) < 1e-6);
  t.ok(flat(x.gradient!).every(Number.isFinite));
});

t.test('what does not fit is refused', async (t) => {
  t.throws(() => loss([0, 1]), ShapeError);
  t.throws(() => loss([0, 1, 2, 3, 4]), UsageError);
  t.throws(() => loss(zeros([rows, classes + 1])), ShapeError);
  t.throws(() => loss(labels, { smoothing: 1.5 }), UsageError);
});
