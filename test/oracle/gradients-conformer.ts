/** Gradients of the conformer: attention, the convolution module, layers, whole networks with a CTC loss. */
import { constant, ctcLoss, type Variable } from '../../src/autograd/index.js';
import type { ConformerCtcConfig, EncoderConfig } from '../../src/nn/index.js';
import { flat, reshape, type Tensor, view } from '../../src/tensor/index.js';
import { trainableConformer } from '../../src/training/networks/conformer.js';
import { convolutionModule, encode, selfAttention } from '../../src/training/networks/conformer-layers.js';
import type { Pass } from '../../src/training/networks/network.js';
import { passOf, type TestPass } from '../support/passes.js';
import { type Fixture, inputOf, tensorOf } from './fixture.js';
import { maskOf, number, type Report } from './report.js';

/** A pass over the fixture's weights, whose modules are called `x` by the network and nothing by the fixture. */
function passOver(fixture: Fixture, module: string): TestPass {
  const pass = passOf(fixture.tensors as ReadonlyMap<string, Tensor>);
  return { ...pass, parameter: (name) => pass.parameter(name.replace(`${module}.`, '')) };
}

/** x [batch, frames, width] as recordings one after another. */
function recordingsOf(fixture: Fixture) {
  const [batch, frames, width] = inputOf(fixture, 'x').shape as [number, number, number];
  return { lengths: Array.from({ length: batch }, () => frames), shape: [batch * frames, width] };
}

/** All gradients that the fixture has, and no others. */
function reportGradients(fixture: Fixture, report: Report, leaves: ReadonlyMap<string, Variable>): void {
  const names = [...fixture.tensors.keys()].filter((name) => name.startsWith('grad.'));
  report.equal('gradients', [...leaves.keys()].sort(), names.map((name) => name.slice(5)).sort());
  for (const [name, { gradient }] of leaves) report.gradient(name, gradient!);
}

/** Σ output · cotangent of a module of x: its output, its gradients for x and all its parameters. */
function compare(
  fixture: Fixture,
  report: Report,
  module: string,
  f: (pass: Pass, x: Variable) => Variable,
  cotangent: Tensor = inputOf(fixture, 'R'),
): void {
  const pass = passOver(fixture, module);
  const x = pass.tape.variable(reshape(inputOf(fixture, 'x'), recordingsOf(fixture).shape));
  const y = f(pass, x);
  pass.tape.backward(y, reshape(cotangent, y.shape));
  reportGradients(fixture, report, new Map([...pass.leaves, ['input', x]]));
}

export function checkAttentionGradients(fixture: Fixture, report: Report): void {
  const { lengths } = recordingsOf(fixture);
  const mask = maskOf(fixture, 'key_padding_mask');
  const positions = constant(inputOf(fixture, 'pos_emb').pick(0, null, null));
  compare(fixture, report, 'x', (pass, x) => {
    const recordings = { lengths, mask: mask && view(mask.data, [x.shape[0]!]) };
    const y = selfAttention(pass, 'x', number(fixture.config, 'num_heads'), x, positions, recordings);
    report.output('output', y.value);
    return y;
  });
}

export function checkConvolutionModuleGradients(fixture: Fixture, report: Report): void {
  const mask = maskOf(fixture, 'mask');
  const R = inputOf(fixture, 'R');
  const width = R.shape[2]!;
  // The mask sets frames of the output to 0, so nothing comes back from them.
  const cotangent = view(
    flat(R).map((value, i) => (mask?.data[Math.floor(i / width)] ? 0 : value)),
    R.shape,
  );
  const { lengths } = recordingsOf(fixture);
  compare(fixture, report, 'x', (pass, x) => convolutionModule(pass, 'x', x, lengths), cotangent);
}

const encoderOf = (config: Fixture['config'], layers: number): EncoderConfig => ({
  width: number(config, 'd_model'),
  heads: number(config, 'nhead'),
  layers,
  feedForward: number(config, 'd_ffn'),
  depthwiseTaps: number(config, 'kernel_size'),
});

/** Layers of an encoder, and the norm after the last where the fixture has one. */
function checkEncoderGradients(fixture: Fixture, report: Report, module: string, layers: number): void {
  const finalNorm = fixture.tensors.has('norm.norm.weight');
  const { lengths } = recordingsOf(fixture);
  compare(fixture, report, module, (pass, x) => {
    const part = { from: 0, to: layers, finalNorm };
    const config = encoderOf(fixture.config, layers);
    const { x: y } = encode(pass, 'x', config, part, { x, lengths }, (kept) => kept);
    report.output('output', y.value);
    return y;
  });
}

export const checkEncoderLayerGradients = (fixture: Fixture, report: Report): void =>
  checkEncoderGradients(fixture, report, 'x.layers.0', 1);

export const checkWholeEncoderGradients = (fixture: Fixture, report: Report): void =>
  checkEncoderGradients(fixture, report, 'x', number(fixture.config, 'num_layers'));

/** The CTC loss of a whole network, from the fixture's own features on. */
export function checkEndToEndGradients(fixture: Fixture, report: Report, config: ConformerCtcConfig): void {
  const features = tensorOf(fixture, 'out.normalized') as Tensor;
  const [, frames, mels] = features.shape as [number, number, number];
  const pass = passOf(fixture.tensors as ReadonlyMap<string, Tensor>);
  const network = trainableConformer(config, 1, { dropout: 0 });
  const cut = network.prefix(pass, { x: constant(reshape(features, [frames, mels])), lengths: [frames] });
  const { x: logits, lengths } = network.suffix(pass, cut);
  report.output('ctc_logits', logits.value);
  const { loss } = ctcLoss(logits, lengths, [fixture.config['target'] as number[]]);
  report.output('ctc_loss', loss.value);
  pass.tape.backward(loss);
  reportGradients(fixture, report, pass.leaves);
}
