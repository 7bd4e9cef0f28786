import t from 'tap';
import { batchNormInference, batchNormTraining, constant } from '../../src/autograd/index.js';
import { createRandom, flat, ShapeError, zeros } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(9);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);
const EPSILON = 1e-3;

t.test('batch norm in training: gradients through the statistics', async (t) => {
  checkGradients(t, 'of a matrix', {
    f: (x, w, b) => batchNormTraining(x!, w!, b!, EPSILON).y,
    inputs: [tensor(11, 5), tensor(5), tensor(5)],
  });
  checkGradients(t, 'of images', {
    f: (x, w, b) => batchNormTraining(x!, w!, b!, EPSILON).y,
    inputs: [tensor(2, 3, 2, 4), tensor(4), tensor(4)],
  });
  const vector = constant(tensor(3));
  t.throws(() => batchNormTraining(constant(tensor(1, 3)), vector, vector, EPSILON), ShapeError);
  t.throws(() => batchNormTraining(constant(zeros([0, 3])), vector, vector, EPSILON), ShapeError);
});

t.test('batch norm with stored statistics', async (t) => {
  const [mean, variance] = [tensor(5), tensor(5)];
  for (let i = 0; i < 5; i++) variance.data[i] = 0.5 + Math.abs(variance.data[i]!);
  checkGradients(t, 'stored', {
    f: (x, w, b) => batchNormInference(x!, w!, b!, mean, variance, EPSILON),
    inputs: [tensor(6, 5), tensor(5), tensor(5)],
  });
});

t.test('values and statistics by the formula in float64', async (t) => {
  const [rows, channels] = [13, 3];
  const [x, weight, bias] = [tensor(rows, channels), tensor(channels), tensor(channels)];
  const result = batchNormTraining(constant(x), constant(weight), constant(bias), EPSILON);
  t.equal(result.rows, rows);
  for (let c = 0; c < channels; c++) {
    const column = Array.from({ length: rows }, (_, r) => x.get(r, c));
    const centre = column.reduce((sum, v) => sum + v, 0) / rows;
    const squares = column.reduce((sum, v) => sum + (v - centre) ** 2, 0);
    t.ok(Math.abs(result.mean.get(c) - centre) < 1e-7, 'mean');
    t.ok(Math.abs(result.variance.get(c) - squares / (rows - 1)) < 1e-6, 'unbiased variance');
    const y = flat(result.y.value);
    column.forEach((v, r) => {
      const right = ((v - centre) / Math.sqrt(squares / rows + EPSILON)) * weight.get(c) + bias.get(c);
      t.ok(Math.abs(y[r * channels + c]! - right) < 1e-5, `y[${r}, ${c}]`);
    });
  }
});
