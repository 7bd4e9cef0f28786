/** What is computed and compared for each kind of fixture. */
import {
  type FrontEndConfig,
  floorFeatures,
  hammingWindow,
  LogMel,
  melFilters,
  normalizeBySentence,
  normalizeGlobally,
  resample,
  shortTimeFourierTransform,
} from '../../src/audio/index.js';
import { ctcLoss, Tape } from '../../src/autograd/index.js';
import {
  type ConformerCtcConfig,
  ConformerEncoder,
  ConformerLayer,
  ConformerPrefix,
  ConformerSuffix,
  ConvolutionFrontEnd,
  ConvolutionModule,
  type EncoderConfig,
  RelativeSelfAttention,
  relativePositions,
} from '../../src/nn/index.js';
import { logSoftmax, type PaddingMask, scaledAdd } from '../../src/ops/index.js';
import { greedyDecode } from '../../src/tasks/ctc.js';
import { concatenate, flat, reshape, type Tensor, view, zeros } from '../../src/tensor/index.js';
import { type Fixture, inputOf, parametersOf, tensorOf } from './fixture.js';
import {
  checkAttentionGradients,
  checkConvolutionModuleGradients,
  checkEncoderLayerGradients,
  checkEndToEndGradients,
  checkWholeEncoderGradients,
} from './gradients-conformer.js';
import { checkFrontEndGradients, checkImageNetwork } from './gradients-conv.js';
import { networkChecks } from './networks.js';
import { type Comparison, maskOf, number, numbers, Report } from './report.js';

export type { Comparison } from './report.js';

const DECIBELS = 2e-3;
const LOG1P = 2e-5;
const STFT = 1e-5;
const SENTENCE = 1e-3;

const doubles = (data: Float64Array, shape: readonly number[]) => view(data, shape);

/** Positions, stored with a batch axis of 1. */
const positionsOf = (fixture: Fixture, name: string): Tensor => inputOf(fixture, name).pick(0, null, null);

function checkFbank(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  const frontEnd: FrontEndConfig = {
    sampleRate: number(config, 'sample_rate'),
    fftSize: number(config, 'n_fft'),
    windowSamples: number(config, 'win_length_samples'),
    hopSamples: number(config, 'hop_length_samples'),
    mels: number(config, 'n_mels'),
    minHertz: number(config, 'f_min'),
    maxHertz: number(config, 'f_max'),
    spectrum: number(config, 'magnitude_exponent') === 1 ? 'power' : 'magnitude',
    compression: config['log_mel_dB'] ? 'decibel' : config['log1p_after_mel'] ? 'log1p' : 'none',
    topDecibels: config['log_mel_dB'] ? number(config, 'top_db') : null,
  };
  const samples = flat(inputOf(fixture, 'waveform'));
  const { windowSamples, fftSize, mels } = frontEnd;
  const bins = Math.floor(fftSize / 2) + 1;

  report.output('window', doubles(hammingWindow(windowSamples, windowSamples), [windowSamples]));
  const filters = melFilters(frontEnd).weights;
  const matrix = Float64Array.from(
    { length: bins * mels },
    (_, i) => filters[(i % mels) * bins + Math.floor(i / mels)]!,
  );
  report.output('mel_matrix', doubles(matrix, [bins, mels]));

  const { real, imaginary } = shortTimeFourierTransform(samples, frontEnd);
  report.output('stft_real', real, STFT);
  report.output('stft_imag', imaginary, STFT);
  const spectrum = real.data.map((re, i) => {
    const power = re ** 2 + imaginary.data[i]! ** 2;
    return frontEnd.spectrum === 'power' ? power : Math.sqrt(power + 1e-14);
  });
  report.output('spectrum', doubles(spectrum, real.shape));
  report.output('mel_linear', new LogMel({ ...frontEnd, compression: 'none' }).frames(samples));

  const features = new LogMel(frontEnd).frames(samples);
  floorFeatures(features.data, frontEnd.topDecibels);
  report.output('features', features, frontEnd.compression === 'decibel' ? DECIBELS : LOG1P, 'absolute');
  if (fixture.tensors.has('out.norm_sentence')) {
    report.output('norm_sentence', normalizeBySentence(features), SENTENCE);
  }
  if (fixture.tensors.has('in.glob_mean')) {
    const [mean, deviation] = [inputOf(fixture, 'glob_mean'), inputOf(fixture, 'glob_std')];
    report.output('norm_global', normalizeGlobally(features, mean, deviation));
  }
}

function checkConvolutionFrontEnd(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  if (number(config, 'num_layers_per_block') !== 1 || (config['residuals'] as boolean[]).some(Boolean)) {
    throw new Error('only blocks of one layer without residuals are implemented');
  }
  const x = inputOf(fixture, 'x');
  const frontEnd = new ConvolutionFrontEnd(parametersOf(fixture), {
    mels: x.shape[2]!,
    channels: numbers(config, 'out_channels'),
    kernelSizes: numbers(config, 'kernel_sizes'),
    strides: numbers(config, 'strides'),
  });
  let y = reshape(x, [...x.shape, 1]);
  frontEnd.blocks.forEach((block, b) => {
    const convolved = block.convolve(y);
    report.output(`layer.convblock_${b}.convs.conv_0`, convolved);
    report.output(`layer.convblock_${b}.convs.norm_0`, block.norm.forward(convolved));
    y = block.forward(y);
    report.output(`layer.convblock_${b}.convs.act_0`, y);
  });
  const output = frontEnd.forward(x);
  report.output('output', output);
  report.output('output_flat', output);
  checkFrontEndGradients(fixture, report);
}

function checkAttention(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  if (config['vbias'] || config['mask_pos_future'])
    throw new Error('vbias and mask_pos_future are not implemented');
  const attention = new RelativeSelfAttention(
    parametersOf(fixture),
    number(config, 'embed_dim'),
    number(config, 'num_heads'),
  );
  const mask = maskOf(fixture, 'key_padding_mask');
  const { output, map } = attention.attend(
    inputOf(fixture, 'x'),
    positionsOf(fixture, 'pos_emb'),
    mask,
    true,
  );
  report.output('output', output);
  report.output('attention', map!);
  checkAttentionGradients(fixture, report);
}

/** Names say width and frames: pe_d144_T40. */
function checkPositions(fixture: Fixture, report: Report): void {
  for (const name of fixture.tensors.keys()) {
    const [, width, frames] = /^out\.pe_d(\d+)_T(\d+)$/.exec(name) ?? [];
    if (width && frames) report.output(name.slice(4), relativePositions(Number(frames), Number(width)));
  }
}

/** [batch, frames, channels] as the [batch, channels, frames] that PyTorch's Conv1d works on. */
const channelsFirst = (x: Tensor): Tensor =>
  view(flat(x.transpose(0, 2, 1)), [x.shape[0]!, x.shape[2]!, x.shape[1]!]);

function checkConvolutionModule(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  if (config['causal']) throw new Error('causal convolution is not implemented');
  const module = new ConvolutionModule(
    parametersOf(fixture),
    number(config, 'd_model'),
    number(config, 'kernel_size'),
  );
  const x = inputOf(fixture, 'x');
  const stages = module.stages(x);
  report.output('layer.layer_norm', stages.normed);
  report.output('layer.bottleneck.0', channelsFirst(stages.pointwise));
  report.output('layer.bottleneck.1', channelsFirst(stages.gated));
  report.output('layer.conv', channelsFirst(stages.filtered));
  report.output('layer.after_conv.0', stages.afterNorm);
  report.output('layer.after_conv.1', stages.activated);
  report.output('output', module.forward(x, maskOf(fixture, 'mask')));
  checkConvolutionModuleGradients(fixture, report);
}

const encoderConfig = (config: Fixture['config'], layers: number): EncoderConfig => ({
  width: number(config, 'd_model'),
  heads: number(config, 'nhead'),
  layers,
  feedForward: number(config, 'd_ffn'),
  depthwiseTaps: number(config, 'kernel_size'),
});

function checkEncoderLayer(fixture: Fixture, report: Report): void {
  const layer = new ConformerLayer(parametersOf(fixture), encoderConfig(fixture.config, 1));
  const [x, positions] = [inputOf(fixture, 'x'), positionsOf(fixture, 'pos_emb')];
  const feedForward1 = layer.feedForward1.forward(x);
  const a = scaledAdd(x, 0.5, feedForward1);
  const normed = layer.norm1.forward(a);
  const { output: attended, map } = layer.attention.attend(normed, positions, undefined, true);
  const b = scaledAdd(a, 1, attended);
  const convolved = layer.convolution.forward(b);
  const feedForward2 = layer.feedForward2.forward(scaledAdd(b, 1, convolved));
  report.output('layer.ffn_module1', feedForward1);
  report.output('layer.norm1', normed);
  report.output('layer.mha_layer', attended);
  report.output('attention', map!);
  report.output('layer.convolution_module', convolved);
  report.output('layer.ffn_module2', feedForward2);
  report.output('output', layer.forward(x, positions));
  checkEncoderLayerGradients(fixture, report);
}

function checkEncoder(fixture: Fixture, report: Report): void {
  const layers = number(fixture.config, 'num_layers');
  const config = encoderConfig(fixture.config, layers);
  const parameters = parametersOf(fixture);
  const whole = new ConformerEncoder(parameters, config);
  const runs: [string, Tensor, Tensor, PaddingMask | undefined][] = [
    ['', inputOf(fixture, 'x'), positionsOf(fixture, 'pos_emb'), undefined],
  ];
  if (fixture.tensors.has('in.x_masked')) {
    const mask = maskOf(fixture, 'key_padding_mask');
    runs.push(['masked_', inputOf(fixture, 'x_masked'), positionsOf(fixture, 'pos_emb_masked'), mask]);
  }
  for (const [prefix, x, positions, mask] of runs) {
    let y = x;
    whole.layers.forEach((layer, i) => {
      y = layer.forward(y, positions, mask);
      report.output(`${prefix}layer${i + 1}`, y);
    });
    report.output(`${prefix}output`, whole.forward(x, mask, positions));
    // Split after every layer: the prefix and the suffix alone give the whole.
    for (let cut = 0; cut <= layers; cut++) {
      const head = new ConformerEncoder(parameters, config, { from: 0, to: cut, finalNorm: false });
      const tail = new ConformerEncoder(parameters, config, { from: cut, to: layers, finalNorm: true });
      const joined = tail.forward(head.forward(x, mask, positions), mask, positions);
      const together = whole.forward(x, mask, positions);
      report.equal(`${prefix}cut after layer ${cut}`, [...joined.data], [...together.data]);
    }
  }
}

function checkCtc(fixture: Fixture, report: Report): void {
  const logProbs = logSoftmax(inputOf(fixture, 'logits'));
  report.output('log_probs', logProbs);
  const lengths = tensorOf(fixture, 'in.input_lengths').data;
  const decoded = Array.from({ length: logProbs.shape[0]! }, (_, b) => {
    const item = logProbs.pick(b, null, null).hi(Number(lengths[b]));
    return greedyDecode(item).map((token) => token.label);
  });
  report.equal('greedy decode', decoded, fixture.json['greedy_decode']);
  checkCtcLoss(fixture, report);
}

/** The loss and its gradient, of the frames of all recordings one after another. */
function checkCtcLoss(fixture: Fixture, report: Report): void {
  const logits = inputOf(fixture, 'logits');
  const [, frames, classes] = logits.shape as [number, number, number];
  const lengths = [...tensorOf(fixture, 'in.input_lengths').data].map(Number);
  const targets = fixture.config['targets'] as number[][];
  const parts = lengths.map((length, b) => flat(logits.pick(b, null, null).hi(length)));
  const tape = new Tape();
  const packed = tape.variable(
    view(concatenate(parts), [lengths.reduce((sum, length) => sum + length, 0), classes]),
  );
  const { loss, perRecording } = ctcLoss(packed, lengths, targets);
  const each = Float64Array.from(perRecording);
  report.output('loss_per_sample', doubles(each, [each.length]));
  const mean = each.reduce((sum, value, b) => sum + value / Math.max(1, targets[b]!.length), 0) / each.length;
  report.output('loss_mean', doubles(Float64Array.of(mean), [1]));

  tape.backward(loss);
  const gradient = zeros(logits.shape);
  let row = 0;
  lengths.forEach((length, b) => {
    const part = flat(packed.gradient!).subarray(row * classes, (row + length) * classes);
    gradient.data.set(part, b * frames * classes);
    row += length;
  });
  report.gradient('logits_of_sum', gradient);
}

function checkEndToEnd(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  const sampleRate = 16000;
  const mean = inputOf(fixture, 'glob_mean');
  const mels = mean.shape[0]!;
  const logMel = new LogMel({
    sampleRate,
    fftSize: number(config, 'n_fft'),
    windowSamples: (number(config, 'win') * sampleRate) / 1000,
    hopSamples: sampleRate / 100,
    mels,
    minHertz: 0,
    maxHertz: sampleRate / 2,
    spectrum: 'power',
    compression: 'decibel',
    topDecibels: 80,
  });
  const features = logMel.frames(flat(inputOf(fixture, 'waveform')));
  floorFeatures(features.data, 80);
  report.output('fbank', features, DECIBELS, 'absolute');
  const normalized = normalizeGlobally(features, mean, inputOf(fixture, 'glob_std'));
  report.output('normalized', normalized);

  const channels = numbers(config, 'ch');
  const layers = number(config, 'L');
  const model: ConformerCtcConfig = {
    type: 'speechbrain-conformer-ctc',
    frontEnd: { mels, channels, kernelSizes: channels.map(() => 3), strides: channels.map(() => 2) },
    encoder: {
      width: number(config, 'd'),
      heads: number(config, 'h'),
      layers,
      feedForward: number(config, 'ffn'),
      depthwiseTaps: number(config, 'kernel_size'),
    },
    classes: number(config, 'vocab'),
    head: '3',
  };
  const parameters = parametersOf(fixture);
  const batch = reshape(normalized, [1, ...normalized.shape]);
  for (let split = 0; split <= layers; split++) {
    const prefix = new ConformerPrefix(parameters, model, split);
    const suffix = new ConformerSuffix(parameters, model, split);
    const cut = prefix.forward(batch);
    if (split === 0) {
      report.output('cnn', prefix.frontEnd.forward(batch));
      report.output('src_linear', prefix.embed(batch));
    } else {
      report.output(`layer${split}`, cut);
    }
    report.output('encoder', suffix.encoder.forward(cut));
    const logProbs = suffix.forward(cut);
    report.output('ctc_log_probs', logProbs);
    const heard = greedyDecode(logProbs.pick(0, null, null)).map((token) => token.label);
    report.equal(`greedy decode, cut after ${split}`, [heard], fixture.json['greedy_decode']);
  }
  checkEndToEndGradients(fixture, report, model);
}

function checkResample(fixture: Fixture, report: Report): void {
  const { config } = fixture;
  if (number(config, 'lowpass_filter_width') !== 6 || number(config, 'rolloff') !== 0.99) {
    throw new Error('only torchaudio’s default filter is implemented');
  }
  for (const [from, to] of config['rates'] as [number, number][]) {
    const samples = flat(inputOf(fixture, `w_${from}_${to}`));
    const out = resample(samples, from, to);
    report.output(`w_${from}_${to}`, view(out, [out.length]));
  }
}

const checks: Readonly<Record<string, (fixture: Fixture, report: Report) => void>> = {
  fbank: checkFbank,
  convfrontend: checkConvolutionFrontEnd,
  relpos_mha: checkAttention,
  relpos_encoding: checkPositions,
  cnn_gradients: checkImageNetwork,
  conv_module: checkConvolutionModule,
  encoder_layer: checkEncoderLayer,
  conformer_encoder: checkEncoder,
  conformer_encoder_gradients: checkWholeEncoderGradients,
  ctc: checkCtc,
  asr_end_to_end: checkEndToEnd,
  resample: checkResample,
  ...networkChecks,
};

export const isCovered = (kind: string): boolean => Object.hasOwn(checks, kind);

/** Every comparison of a fixture whose kind is covered; throws where its configuration is not implemented. */
export function compareFixture(fixture: Fixture): readonly Comparison[] {
  const report = new Report(fixture);
  checks[fixture.kind]!(fixture, report);
  return report.comparisons;
}
