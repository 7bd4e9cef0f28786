/**
 * SpeechBrain's conformer for speech recognition as it is published: model.ckpt or asr.ckpt (the state dict of a list
 * with the front end, the transformer and the heads), normalizer.ckpt, tokenizer.ckpt and, where it is there,
 * hyperparams.yaml. The CTC head is what recognises here; the attention decoder is left out.
 */
import { readNormalizer, readSentencePiece, type SentencePiece } from '../checkpoints/index.js';
import { FEATURE_DEVIATION, FEATURE_MEAN, type NetworkModelConfig } from '../codec/index.js';
import type { ConformerCtcConfig, EncoderConfig } from '../nn/index.js';
import { ModelError, UsageError } from '../tensor/index.js';
import {
  about,
  countOf,
  type OpenFile,
  type PublishedCheckpoint,
  readSmall,
  readText,
  requireCheckpoint,
  shapeOf,
} from './files.js';
import { numbersOfYaml } from './hyperparams.js';
import { floats, type ImportedNetwork, importNetwork } from './network.js';

export interface ConformerImportOptions {
  readonly name?: string;
  /** Samples of the Fourier transform and of the window, where hyperparams.yaml does not say. */
  readonly fftSize?: number;
  readonly windowSamples?: number;
  /** Attention heads of a model with rotary positions, whose shapes do not tell; hyperparams.yaml may. */
  readonly heads?: number;
}

/** What shapes do not tell, by the width of the published models (facts of the recipes, SpeechBrain 0.5 to 1.1). */
const PUBLISHED: ReadonlyMap<number, { fftSize: number; windowSamples: number; heads: number }> = new Map([
  [144, { fftSize: 400, windowSamples: 400, heads: 4 }],
  [256, { fftSize: 512, windowSamples: 400, heads: 4 }],
  [512, { fftSize: 512, windowSamples: 512, heads: 8 }],
]);

const SAMPLE_RATE = 16000;
/** Of SpeechBrain's Fbank, where a hyperparams.yaml does not say. */
const WINDOW_MILLISECONDS = 25;
const HOP_MILLISECONDS = 10;
/** All blocks of the published front ends halve both axes. */
const STRIDE = 2;

const MODEL =
  "model of SpeechBrain's conformer recipes (names begin with 0. for the front end, 1. for the transformer)";
const LAYER = '1.encoder.layers';
/** Position tables, the attention decoder, its embedding and its linear: known, and not needed for CTC. */
const LEFT_OUT = /^1\.positional_encoding|^1\.decoder\.|^1\.custom_tgt_module\./;

function encoderOf(checkpoint: PublishedCheckpoint, width: number, heads: number | undefined): EncoderConfig {
  const layers = countOf(checkpoint, (layer) => `${LAYER}.${layer}.mha_layer.in_proj_weight`);
  const first = (name: string, axes: number) => shapeOf(checkpoint, `${LAYER}.0.${name}`, axes, MODEL);
  if (checkpoint.tensors.has(`${LAYER}.0.convolution_module.after_conv.0.running_mean`)) {
    throw new ModelError(
      `${checkpoint.file}: its convolution modules have batch norm: SpeechBrain before 0.5.12 wrote it, whose conformer is ` +
        'another one; get a version of the model that a later SpeechBrain wrote',
    );
  }
  const [feedForward] = first('ffn_module1.1.ffn.0.weight', 2);
  const [, , depthwiseTaps] = first('convolution_module.conv.weight', 3);
  const sizes = { width, layers, feedForward: feedForward!, depthwiseTaps: depthwiseTaps! };
  if (checkpoint.tensors.has(`${LAYER}.0.mha_layer.pos_bias_u`)) {
    return { ...sizes, heads: first('mha_layer.pos_bias_u', 2)[1]! };
  }
  if (heads !== undefined) return { ...sizes, heads, positions: 'rotary' };
  throw new UsageError(
    `${checkpoint.file}: with rotary positions the shapes do not tell the number of attention heads: say it (--heads)`,
  );
}

function networkOf(
  checkpoint: PublishedCheckpoint,
  mels: number,
  heads: (width: number) => number | undefined,
): ConformerCtcConfig {
  const nameOf = (block: number) => `0.convblock_${block}.convs.conv_0.conv.weight`;
  const convolutions = Array.from({ length: countOf(checkpoint, nameOf) }, (_, block) =>
    shapeOf(checkpoint, nameOf(block), 4, MODEL),
  );
  const [width] = shapeOf(checkpoint, '1.custom_src_module.layers.0.w.weight', 2, MODEL);
  // With an attention decoder its linear is 2. and the CTC head 3.; without one the CTC head is 2.
  const head = checkpoint.tensors.has('3.w.weight') ? '3' : '2';
  const [classes] = shapeOf(checkpoint, `${head}.w.weight`, 2, MODEL);
  return {
    type: 'speechbrain-conformer-ctc',
    frontEnd: {
      mels,
      channels: convolutions.map(([out]) => out!),
      kernelSizes: convolutions.map(([, , kernel]) => kernel!),
      strides: convolutions.map(() => STRIDE),
    },
    encoder: encoderOf(checkpoint, width!, heads(width!)),
    classes: classes!,
    head,
  };
}

/** Text of a piece; none of those that stand for no text. */
const labelOf = ({ text, type }: SentencePiece): string =>
  type === 'control' || type === 'unknown' ? '' : text;

/** Labels by number: those of the tokenizer, or the numbers themselves where there is none. */
async function labelsOf(open: OpenFile, classes: number, notes: string[]): Promise<string[]> {
  const file = 'tokenizer.ckpt';
  const bytes = await readSmall(open, file);
  if (bytes === null) {
    notes.push(`no ${file}: pieces are shown as their numbers`);
    return Array.from({ length: classes }, (_, c) => (c === 0 ? '' : `\u2581<${c}>`));
  }
  const { pieces } = await about(file, () => readSentencePiece(bytes));
  if (pieces.length !== classes) {
    throw new ModelError(
      `${file} has ${pieces.length} pieces, the network ${classes} classes: the files are of different models`,
    );
  }
  // Piece 0, the unknown one, is the blank of CTC.
  return pieces.map((piece, c) => (c === 0 ? '' : labelOf(piece)));
}

/** Sizes of the front end in samples: what options say, then hyperparams.yaml, then the recipe of a published width. */
function windowOf(
  yaml: ReadonlyMap<string, number>,
  width: number,
  options: ConformerImportOptions,
  notes: string[],
): Readonly<Record<'sampleRate' | 'fftSize' | 'windowSamples' | 'hopSamples', number>> {
  const sampleRate = yaml.get('sample_rate') ?? SAMPLE_RATE;
  const samplesOf = (name: string, otherwise: number) =>
    Math.round(((yaml.get(name) ?? otherwise) * sampleRate) / 1000);
  const hopSamples = samplesOf('hop_length', HOP_MILLISECONDS);
  // A file that says the transform but not the window leaves SpeechBrain to its default.
  const said = yaml.has('n_fft') || yaml.has('win_length');
  const published = PUBLISHED.get(width);
  const fftSize = options.fftSize ?? yaml.get('n_fft') ?? published?.fftSize;
  const windowSamples =
    options.windowSamples ?? (said ? samplesOf('win_length', WINDOW_MILLISECONDS) : published?.windowSamples);
  if (fftSize === undefined || windowSamples === undefined) {
    throw new UsageError(
      `width ${width} is that of no published model, and no hyperparams.yaml says n_fft and win_length: say how many samples ` +
        'the Fourier transform and the window have (--fft and --window)',
    );
  }
  if (options.fftSize === undefined && !yaml.has('n_fft')) {
    notes.push(`no hyperparams.yaml says n_fft: an FFT of ${fftSize} samples is assumed (--fft)`);
  }
  if (options.windowSamples === undefined && !yaml.has('win_length')) {
    notes.push(
      `no hyperparams.yaml says win_length: a window of ${windowSamples} samples is assumed (--window)`,
    );
  }
  return { sampleRate, fftSize, windowSamples, hopSamples };
}

/**
 * Imports a published model. Throws SourceError where a file is missing, FormatError where one is damaged, ModelError or
 * ImportError where it is of another network, UsageError where an option is needed.
 */
export async function importSpeechBrainConformer(
  open: OpenFile,
  options: ConformerImportOptions = {},
): Promise<ImportedNetwork> {
  const checkpoint = await requireCheckpoint(open, ['asr.ckpt', 'model.ckpt', 'model.safetensors']);
  const statistics = await requireCheckpoint(open, ['normalizer.ckpt']);
  const { mean, deviation } = await about(statistics.file, () => readNormalizer(statistics));
  const yaml = numbersOfYaml(await readText(open, 'hyperparams.yaml'));
  const notes: string[] = [];
  const network = networkOf(
    checkpoint,
    mean.size,
    (width) => options.heads ?? yaml.get('nhead') ?? PUBLISHED.get(width)?.heads,
  );
  const { width, positions, heads } = network.encoder;
  if (positions === 'rotary' && options.heads === undefined && !yaml.has('nhead')) {
    notes.push(`no hyperparams.yaml says nhead: ${heads} attention heads are assumed (--heads)`);
  }
  const sizes = windowOf(yaml, width, options, notes);
  const config: NetworkModelConfig = {
    name: options.name ?? `speechbrain-conformer-d${width}`,
    task: 'recognition',
    labels: await labelsOf(open, network.classes, notes),
    units: 'pieces',
    frontEnd: {
      ...sizes,
      mels: mean.size,
      minHertz: 0,
      maxHertz: sizes.sampleRate / 2,
      spectrum: 'power',
      compression: 'decibel',
      topDecibels: 80,
    },
    network,
    licence: 'that of the published checkpoint',
    trainingData: ['see the model card of the checkpoint'],
  };
  const stored = new Map([
    [FEATURE_MEAN, floats(FEATURE_MEAN, mean)],
    [FEATURE_DEVIATION, floats(FEATURE_DEVIATION, deviation)],
  ]);
  const isLeftOut = (name: string) => LEFT_OUT.test(name) || (network.head === '3' && /^2\.w\./.test(name));
  return importNetwork(config, [{ checkpoint, prefix: '' }], isLeftOut, stored, notes);
}
