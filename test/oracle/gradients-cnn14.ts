/** Gradients of CNN14, with stored statistics and with those of the batch. */
import type { Variable } from '../../src/autograd/index.js';
import { type Cnn14Config, cnn14Kind } from '../../src/nn/index.js';
import { flat, reshape, view, zeros } from '../../src/tensor/index.js';
import { trainableCnn14 } from '../../src/training/networks/cnn14.js';
import { passOf } from '../support/passes.js';
import { type Fixture, inputOf } from './fixture.js';
import { number, numbers, type Report } from './report.js';

/** Gradients of Σ logits · R by the input and by every parameter; `training` also moves the running statistics. */
export function checkCnn14Gradients(
  fixture: Fixture,
  report: Report,
  config: Cnn14Config,
  training: boolean,
): void {
  const x = inputOf(fixture, 'x');
  const [batch, frames, mels] = x.shape as [number, number, number];
  const splitLayer = Math.floor(cnn14Kind.layers(config) / 2);
  const network = trainableCnn14(config, splitLayer, { dropout: 0 });
  const pass = passOf(fixture.tensors, { training });
  const features: Variable = pass.tape.variable(reshape(x, [batch * frames, mels]));
  const lengths = Array.from({ length: batch }, () => frames);
  const logits = network.suffix(pass, network.prefix(pass, { x: features, lengths })).x;
  report.output('logits', logits.value);
  pass.tape.backward(logits, reshape(inputOf(fixture, 'R'), logits.shape));
  report.gradient('input', features.gradient ?? zeros(features.shape));
  for (const name of network.parameters.keys()) report.gradient(name, pass.gradientOf(name));
  if (!training) return;
  // The trainer's own copies are moved.
  const buffers = new Map(
    [...network.buffers].map(([name, { shape }]) => [name, view(flat(pass.buffer(name)).slice(), shape)]),
  );
  network.absorb?.(buffers, pass.reported);
  for (const [name, moved] of buffers) report.output(`updated_buffer.${name}`, moved);
}

export function checkCnn14Training(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  const network: Cnn14Config = {
    type: 'cnn14',
    mels: number(config, 'mel'),
    channels: numbers(config, 'ch'),
    classes: number(config, 'nc'),
    head: 'linear',
  };
  checkCnn14Gradients(fixture, report, network, true);
}
