/** Checks of whole networks other than SpeechBrain's conformer: CNN14. */
import {
  BatchNorm,
  Cnn14Block,
  type Cnn14Config,
  Cnn14Prefix,
  Cnn14Suffix,
  cnn14Kind,
  Parameters,
} from '../../src/nn/index.js';
import { reshape, type Tensor } from '../../src/tensor/index.js';
import { type Fixture, inputOf, parametersOf } from './fixture.js';
import { number, numbers, type Report } from './report.js';

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

export const networkChecks: Readonly<Record<string, (fixture: Fixture, report: Report) => void>> = {
  cnn14_reduced: checkCnn14,
  cnn14_blocks: checkCnn14Blocks,
};
