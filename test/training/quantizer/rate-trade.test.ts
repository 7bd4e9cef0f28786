/** A small network and its quantiser trained together: the weight of the rate buys bits with loss of the task. */
import t from 'tap';
import { add, crossEntropy, linear, scalarOf, scale } from '../../../src/autograd/index.js';
import {
  createNormal,
  createRandom,
  flat,
  scope,
  type Tensor,
  view,
  zeros,
} from '../../../src/tensor/index.js';
import { TrainableQuantizer, type TrainableQuantizerOptions } from '../../../src/training/quantizer/index.js';
import { passOf, stateOf } from './state.js';

const [INPUTS, WIDTH, BATCH] = [8, 3, 96];
const normal = createNormal(createRandom(31));

/** Vectors whose first number says the class, one of five the rarer, among others that say nothing. */
function batchOf(random: () => number): { x: Tensor; labels: number[] } {
  const labels = Array.from({ length: BATCH }, () => (random() < 0.2 ? 1 : 0));
  const x = zeros([BATCH, INPUTS]);
  labels.forEach((label, n) => {
    for (let d = 0; d < INPUTS; d++)
      x.set(n, d, normal() * (d === 0 ? 0.3 : 1) + (d === 0 ? 2 * label - 1 : 0));
  });
  return { x, labels };
}

const drawn = (rows: number, columns: number): Tensor =>
  view(
    Float32Array.from({ length: rows * columns }, () => normal() / Math.sqrt(columns)),
    [rows, columns],
  );

/** Trains both and gives what the last steps cost. */
function train(learning: TrainableQuantizerOptions['learning'], lambda: number) {
  const quantizer = new TrainableQuantizer({
    codebooks: 1,
    codewords: 16,
    width: WIDTH,
    learning,
    decay: 0.95,
    reviveBelow: lambda > 0 ? 0 : 0.05,
  });
  const random = createRandom(5);
  const fresh = stateOf(quantizer);
  const weights = new Map([
    ...fresh.parameters,
    ['encoder', drawn(WIDTH, INPUTS)],
    ['head', drawn(2, WIDTH)],
  ]);
  const state = { parameters: weights, buffers: fresh.buffers };
  const velocity = new Map([...weights].map(([name, { data }]) => [name, data.slice().fill(0)]));
  let [bits, loss, counted] = [0, 0, 0];
  for (let step = 1; step <= 400; step++) {
    const { x, labels } = batchOf(random);
    if (step === 1) {
      const first = linearValue(x, weights.get('encoder')!);
      quantizer.start(state, first, 1, 5);
    }
    const reported = new Map<string, Float64Array>();
    scope(() => {
      const pass = passOf(state, reported, { seed: step });
      const encoded = linear(pass.tape.variable(x), pass.parameter('encoder'), null);
      const quantization = quantizer.forward(pass, { x: encoded, lengths: labels.map(() => 1) });
      const task = crossEntropy(linear(quantization.quantized, pass.parameter('head'), null), labels);
      let total = add(task, scale(quantization.commitment(), 0.25));
      if (learning === 'gradient') total = add(total, quantization.codebook());
      if (lambda > 0) total = add(total, scale(quantization.rate(), lambda));
      pass.tape.backward(scale(total, 1 / BATCH));
      for (const [name, values] of weights) {
        const [v, gradient] = [velocity.get(name)!, flat(pass.parameter(name).gradient!)];
        flat(values).forEach((_, i) => {
          v[i] = 0.9 * v[i]! + gradient[i]!;
          values.data[i]! -= 0.03 * v[i]!;
        });
      }
      if (step > 350) {
        bits += quantization.bits().reduce((sum, each) => sum + each, 0);
        loss += scalarOf(task);
        counted += BATCH;
      }
      return zeros([1]);
    });
    quantizer.absorb(state, reported, { random });
  }
  return { bits: bits / counted, loss: loss / counted };
}

const linearValue = (x: Tensor, weight: Tensor): Tensor => {
  const pass = passOf({ parameters: new Map([['w', weight]]), buffers: new Map() }, new Map());
  return linear(pass.tape.variable(x), pass.parameter('w'), null).value;
};

// Averages spread codewords over whatever the vectors do: there the rate gets less.
for (const [learning, part] of [
  ['averages', 0.75],
  ['gradient', 0.4],
] as const) {
  t.test(`codebooks that follow ${learning}`, async (t) => {
    const [free, cheap] = [train(learning, 0), train(learning, 0.3)];
    const said = ({ bits, loss }: typeof free) => `${bits.toFixed(2)} bit, ${loss.toFixed(3)} nat`;
    t.ok(free.loss < 0.15, `nothing to pay for bits: ${said(free)}`);
    t.ok(cheap.bits < part * free.bits, `three tenths of a nat for a bit: ${said(cheap)}`);
    t.ok(cheap.loss < 0.15, 'and the class comes through');
  });
}
