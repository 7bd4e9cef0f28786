/** Checks of networks other than SpeechBrain's conformer: CNN14, torchaudio's Conformer and PyTorch's attention. */
import {
  BatchNorm,
  Cnn14Block,
  type Cnn14Config,
  Cnn14Prefix,
  Cnn14Suffix,
  cnn14Kind,
  MultiheadAttention,
  Parameters,
  TorchaudioConformer,
  type TorchaudioConformerConfig,
} from '../../src/nn/index.js';
import type { PaddingMask } from '../../src/ops/index.js';
import { reshape, type Tensor, view } from '../../src/tensor/index.js';
import { type Fixture, inputOf, parametersOf, tensorOf } from './fixture.js';
import { checkCnn14Gradients, checkCnn14Training } from './gradients-cnn14.js';
import { maskOf, number, numbers, type Report } from './report.js';

/** [batch, steps, bands, channels] as the [batch, channels, steps, bands] that PyTorch's Conv2d works on. */
const channelsFirst = (image: Tensor): Tensor => image.transpose(0, 3, 1, 2);

/** Frames of mel bands as the image of one channel that the first block takes. */
const imageOf = (normed: Tensor): Tensor => reshape(normed, [...normed.shape, 1]);

function checkCnn14(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  const x = inputOf(fixture, 'x');
  const linear: Cnn14Config = {
    type: 'cnn14',
    mels: number(config, 'mel_bins'),
    channels: numbers(config, 'channels'),
    classes: number(config, 'classes'),
    head: 'linear',
  };
  const hidden = fixture.tensors.get('cosine_classifier.blocks.1.w.weight')?.shape[0] ?? 0;
  const cosine: Cnn14Config = { ...linear, head: 'cosine', headWidth: hidden };
  const parameters = parametersOf(fixture);
  // The fixture holds both heads, each network has one.
  const withCosine = new Parameters(
    new Map(
      [...fixture.tensors].map(([name, tensor]) => [
        name.replace(/^cosine_classifier/, 'classifier'),
        tensor,
      ]),
    ),
  );

  const blocks = linear.channels.length;
  const whole = new Cnn14Suffix(parameters, linear, 0);
  const normed = new Cnn14Prefix(parameters, linear, 0).forward(x);
  report.output('norm0', normed.transpose(0, 2, 1));
  const logProbs = [...whole.forward(normed).data];
  for (let split = 0; split <= blocks; split++) {
    const cut = new Cnn14Prefix(parameters, linear, split).forward(x);
    const { bands, channels } = cnn14Kind.cut(linear, split);
    const [batch, steps] = cut.shape as [number, number, number];
    report.equal(`steps after ${split}`, steps, cnn14Kind.steps(linear, split, x.shape[1]!));
    if (split > 0) {
      report.output(`block${split}`, channelsFirst(reshape(cut, [batch, steps, bands, channels])));
    }
    const suffix = new Cnn14Suffix(parameters, linear, split);
    report.output('embedding', suffix.embed(cut));
    report.output('logits', suffix.scores(cut));
    report.equal(`cut after ${split}`, [...suffix.forward(cut).data], logProbs);
    report.output('cosine_scores', new Cnn14Suffix(withCosine, cosine, split).scores(cut));
  }
  parameters.requireComplete('linear head');
  withCosine.requireComplete('cosine head');
  checkCnn14Gradients(fixture, report, linear, false);
}

/** Blocks that all halve their axes, without the rest of the network. */
function checkCnn14Blocks(fixture: Fixture, report: Report): void {
  const parameters = parametersOf(fixture);
  const norm = new BatchNorm(parameters.scope('norm0'), number(fixture.config, 'mel_bins'));
  let y = imageOf(norm.forward(inputOf(fixture, 'x')));
  const channels = numbers(fixture.config, 'channels');
  channels.forEach((outChannels, b) => {
    const block = new Cnn14Block(
      parameters.scope(`conv_block${b + 1}`),
      channels[b - 1] ?? 1,
      outChannels,
      true,
    );
    y = block.forward(y);
    report.output(b + 1 === channels.length ? 'output' : `block${b + 1}`, channelsFirst(y));
  });
}

/** Lengths as a mask [batch, frames], 1 = padding. */
export function paddingOf(fixture: Fixture, batch: number, frames: number): PaddingMask {
  const lengths = tensorOf(fixture, 'in.lengths').data;
  const mask = Uint8Array.from({ length: batch * frames }, (_, i) =>
    i % frames < Number(lengths[Math.floor(i / frames)]) ? 0 : 1,
  );
  return view(mask, [batch, frames]);
}

function checkTorchaudioConformer(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  const x = inputOf(fixture, 'x');
  const [batch, frames, width] = x.shape as [number, number, number];
  const model: TorchaudioConformerConfig = {
    type: 'torchaudio-conformer',
    width,
    heads: number(config, 'num_heads'),
    layers: number(config, 'num_layers'),
    feedForward: number(config, 'ffn_dim'),
    depthwiseTaps: number(config, 'K'),
    norm: config['gn'] === true ? 'group' : 'batch',
    convolutionFirst: config['conv_first'] === true,
  };
  const parameters = parametersOf(fixture);
  const mask = paddingOf(fixture, batch, frames);
  const whole = new TorchaudioConformer(parameters, model);
  let y = x;
  whole.layers.forEach((layer, i) => {
    y = layer.forward(y, mask);
    report.output(`layer${i + 1}`, y);
  });
  const together = whole.forward(x, mask);
  report.output('output', together);
  for (let cut = 0; cut <= model.layers; cut++) {
    const head = new TorchaudioConformer(parameters, model, { from: 0, to: cut });
    const tail = new TorchaudioConformer(parameters, model, { from: cut, to: model.layers });
    const joined = tail.forward(head.forward(x, mask), mask);
    report.equal(`cut after layer ${cut}`, [...joined.data], [...together.data]);
  }
  parameters.requireComplete('conformer');
}

/** [batch, heads, frames, keys] to its mean over the heads. */
function meanOfHeads(map: Tensor): Tensor {
  const [batch, heads, frames, keys] = map.shape as [number, number, number, number];
  const mean = new Float32Array(batch * frames * keys);
  map.data.forEach((weight, i) => {
    const item = Math.floor(i / (heads * frames * keys));
    mean[item * frames * keys + (i % (frames * keys))]! += weight / heads;
  });
  return view(mean, [batch, frames, keys]);
}

function checkMultiheadAttention(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  const attention = new MultiheadAttention(parametersOf(fixture), number(config, 'E'), number(config, 'H'));
  const [query, key, value] = [inputOf(fixture, 'q'), inputOf(fixture, 'k'), inputOf(fixture, 'v')];
  // "Plain" is without the additive mask; padded keys are left out in both.
  const mask = maskOf(fixture, 'key_padding_mask');
  const plain = attention.attend(query, key, value, { mask, keepMap: true });
  report.output('plain_output', plain.output);
  report.output('plain_weights', plain.map!);
  const masked = attention.attend(query, key, value, {
    mask,
    added: inputOf(fixture, 'attn_mask'),
    keepMap: true,
  });
  report.output('masked_output', masked.output);
  report.output('masked_weights_avg', meanOfHeads(masked.map!));
  report.output('self_output', attention.forward(query));
  report.output('self_output', attention.attend(query, query, query).output);
}

export const networkChecks: Readonly<Record<string, (fixture: Fixture, report: Report) => void>> = {
  cnn14_reduced: checkCnn14,
  cnn14_reduced_gradients: checkCnn14Training,
  cnn14_blocks: checkCnn14Blocks,
  torchaudio_conformer: checkTorchaudioConformer,
  torch_mha: checkMultiheadAttention,
};
