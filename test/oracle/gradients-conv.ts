/** Gradients through convolutions and poolings: the convolutional front end, and a small image network in training. */
import {
  averagePool2d,
  batchNormTraining,
  conv2d,
  layerNorm,
  leakyRelu,
  linear,
  maxPool2d,
  relu,
  reshape,
  Tape,
  type Variable,
} from '../../src/autograd/index.js';
import type { Conv2dOptions } from '../../src/ops/index.js';
import {
  contiguous,
  flat,
  reshape as reshapeValue,
  type Tensor,
  view,
  zeros,
} from '../../src/tensor/index.js';
import { type Fixture, inputOf, tensorOf } from './fixture.js';
import { number, numbers, type Report } from './report.js';

const EPSILON = 1e-5;
const LEAKY_SLOPE = 0.01;
/** A convolution's bias in front of a batch norm has no gradient at all: what is there is rounding, in the unit of dY. */
const ROUNDING = 1e-4;

type Axes = readonly [number, number, number, number];

/** A leaf whose axes are in another order than the fixture's, and its gradient in the fixture's order. */
function leafOf(tape: Tape, stored: Tensor, axes: Axes): { readonly leaf: Variable; gradient(): Tensor } {
  const back = axes.map((_, axis) => axes.indexOf(axis));
  const leaf = tape.variable(contiguous(stored.transpose(...axes)));
  return { leaf, gradient: () => gradientOf(leaf).transpose(...back) };
}

const gradientOf = (leaf: Variable): Tensor => leaf.gradient ?? zeros(leaf.shape);

/** Σ output · R of SpeechBrain's ConvolutionFrontEnd, its blocks of one layer each. */
export function checkFrontEndGradients(fixture: Fixture, report: Report): void {
  const stored = (name: string) => tensorOf(fixture, name) as Tensor;
  const tape = new Tape();
  const x = inputOf(fixture, 'x');
  const [batch, frames, mels] = x.shape as [number, number, number];
  const input = tape.variable(reshapeValue(x, [batch * frames, mels, 1]));
  const strides = numbers(fixture.config, 'strides');
  const gradients = new Map<string, () => Tensor>();
  let images = { y: input, lengths: Array.from({ length: batch }, () => frames) as readonly number[] };
  numbers(fixture.config, 'kernel_sizes').forEach((kernel, b) => {
    const [conv, norm] = [`convblock_${b}.convs.conv_0.conv`, `convblock_${b}.convs.norm_0.norm`];
    // Stored [out, in, frequency, time]
    const weight = leafOf(tape, stored(`${conv}.weight`), [0, 3, 2, 1]);
    const [bias, gain, shift] = [`${conv}.bias`, `${norm}.weight`, `${norm}.bias`].map((name) => {
      const leaf = tape.variable(stored(name));
      gradients.set(name, () => gradientOf(leaf));
      return leaf;
    }) as [Variable, Variable, Variable];
    gradients.set(`${conv}.weight`, weight.gradient);
    const [stride, pad] = [strides[b]!, Math.floor(kernel / 2)];
    const options: Conv2dOptions = { stride: [stride, stride], padding: [pad, pad], padMode: 'reflect' };
    const convolved = conv2d(images.y, weight.leaf, bias, options, images.lengths);
    const normed = layerNorm(convolved.y, gain, shift, EPSILON);
    images = { y: leakyRelu(normed, LEAKY_SLOPE), lengths: convolved.lengths };
  });
  report.output('output', images.y.value);
  tape.backward(images.y, reshapeValue(inputOf(fixture, 'R'), images.y.shape));
  report.gradient('input', gradientOf(input));
  for (const [name, gradient] of gradients) report.gradient(name, gradient());
}

/** conv, batch norm, ReLU, average pooling; conv, batch norm, ReLU, max pooling; linear: one step of training. */
export function checkImageNetwork(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  const [batch, height, width] = [number(config, 'B'), number(config, 'H'), number(config, 'W')];
  const stored = (name: string) => tensorOf(fixture, name) as Tensor;
  const tape = new Tape();
  // [B, 1, H, W] is [B · H, W, 1]
  const input = tape.variable(reshapeValue(inputOf(fixture, 'x'), [batch * height, width, 1]));
  const plain = new Map<string, Variable>();
  const leaf = (name: string): Variable => {
    const variable = tape.variable(stored(name));
    plain.set(name, variable);
    return variable;
  };
  /** [Σ rows, columns, channels] as PyTorch's [batch, channels, rows, columns]. */
  const channelsFirst = ({ value }: Variable): Tensor => {
    const [rows, columns, channels] = value.shape as [number, number, number];
    return reshapeValue(value, [batch, rows / batch, columns, channels]).transpose(0, 3, 1, 2);
  };

  const filters = [1, 2].map((n) => leafOf(tape, stored(`conv${n}.weight`), [0, 2, 3, 1]));
  const same: Conv2dOptions = { stride: [1, 1], padding: [1, 1], padMode: 'zero' };
  const halving = { window: [2, 2], stride: [2, 2] } as const;
  const layer = (n: number, x: Variable, lengths: readonly number[]) => {
    const bias = fixture.tensors.has(`conv${n}.bias`) ? leaf(`conv${n}.bias`) : null;
    const convolved = conv2d(x, filters[n - 1]!.leaf, bias, same, lengths);
    report.output(`layer.conv${n}`, channelsFirst(convolved.y));
    const norm = batchNormTraining(convolved.y, leaf(`bn${n}.weight`), leaf(`bn${n}.bias`), EPSILON);
    report.output(`layer.bn${n}`, channelsFirst(norm.y));
    for (const [name, of] of [
      ['running_mean', norm.mean],
      ['running_var', norm.variance],
    ] as const) {
      const before = flat(stored(`bn${n}.${name}`));
      const moved = flat(of).map((value, c) => 0.9 * before[c]! + 0.1 * value);
      report.output(`updated_buffer.bn${n}.${name}`, view(moved, [moved.length]));
    }
    const pooled = (n === 1 ? averagePool2d : maxPool2d)(relu(norm.y), halving, convolved.lengths);
    report.output(`layer.pool${n}`, channelsFirst(pooled.y));
    return pooled;
  };
  const first = layer(
    1,
    input,
    Array.from({ length: batch }, () => height),
  );
  const second = layer(2, first.y, first.lengths);

  // The linear map sees [channels, rows, columns]
  const [rows, columns, channels] = [second.lengths[0]!, second.y.shape[1]!, second.y.shape[2]!];
  const classes = number(config, 'nc');
  const matrix = reshapeValue(stored('linear.weight'), [classes, channels, rows, columns]);
  const weight = leafOf(tape, matrix, [0, 2, 3, 1]);
  const features = rows * columns * channels;
  const output = linear(
    reshape(second.y, [batch, features]),
    reshape(weight.leaf, [classes, features]),
    leaf('linear.bias'),
  );
  report.output('output', output.value);
  tape.backward(output, inputOf(fixture, 'R'));
  report.gradient('input', gradientOf(input));
  filters.forEach(({ gradient }, n) => {
    report.gradient(`conv${n + 1}.weight`, gradient());
  });
  report.gradient('linear.weight', weight.gradient());
  for (const [name, variable] of plain) {
    if (name === 'conv2.bias') report.gradient(name, gradientOf(variable), ROUNDING, 'absolute');
    else report.gradient(name, gradientOf(variable));
  }
}
