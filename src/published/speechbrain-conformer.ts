/**
 * SpeechBrain's conformer for speech recognition as it is published: model.ckpt or asr.ckpt (the state dict of a list
 * with the front end, the transformer and the heads), normalizer.ckpt, tokenizer.ckpt and, where it is there,
 * hyperparams.yaml. The CTC head is what recognises here; the attention decoder is left out.
 */
import {
  type Checkpoint,
  readNormalizer,
  readSentencePiece,
  type SentencePiece,
} from '../checkpoints/index.js';
import { FEATURE_DEVIATION, FEATURE_MEAN, type NetworkModelConfig } from '../codec/index.js';
import type { ConformerCtcConfig, EncoderConfig } from '../nn/index.js';
import { ModelError, UsageError } from '../tensor/index.js';
import { numbersOfYaml, type OpenFile, readText, requireCheckpoint } from './files.js';
import { floats, type ImportedNetwork, importNetwork } from './network.js';

export interface ConformerImportOptions {
  readonly name?: string;
  /** Samples of the Fourier transform and of the window, where hyperparams.yaml does not say. */
  readonly fftSize?: number;
  readonly windowSamples?: number;
  /** Attention heads of a model with rotary positions, whose shapes do not tell. */
  readonly heads?: number;
}

/** What shapes do not tell, by the width of the published models (facts of the recipes, SpeechBrain 0.5 to 1.1). */
const PUBLISHED: ReadonlyMap<number, { fftSize: number; windowSamples: number; heads: number }> = new Map([
  [144, { fftSize: 400, windowSamples: 400, heads: 4 }],
  [256, { fftSize: 512, windowSamples: 400, heads: 4 }],
  [512, { fftSize: 512, windowSamples: 512, heads: 8 }],
]);

const SAMPLE_RATE = 16000;
const HOP_MILLISECONDS = 10;
/** All blocks of the published front ends halve both axes. */
const STRIDE = 2;

const LAYER = '1.encoder.layers';
/** Position tables, the attention decoder, its embedding and its linear: known, and not needed for CTC. */
const LEFT_OUT = /^1\.positional_encoding|^1\.decoder\.|^1\.custom_tgt_module\./;

/** The shape of a tensor, on which the configuration depends. */
function shapeOf(checkpoint: Checkpoint, name: string, axes: number): readonly number[] {
  const found = checkpoint.tensors.get(name)?.shape;
  if (found?.length === axes) return found;
  const why = found === undefined ? 'is missing' : `has shape [${found.join(', ')}], expected ${axes} axes`;
  throw new ModelError(
    `speechbrain-conformer: ${name} ${why}: this is no model of SpeechBrain's conformer recipes (names that begin with ` +
      '0. for the front end and 1. for the transformer)',
  );
}

/** How many N there are from 0 on so that a tensor `prefix`N`rest` is there. */
function countOf(checkpoint: Checkpoint, prefix: string, rest: string): number {
  let n = 0;
  while (checkpoint.tensors.has(`${prefix}${n}${rest}`)) n++;
  return n;
}

function encoderOf(checkpoint: Checkpoint, width: number, options: ConformerImportOptions): EncoderConfig {
  const layers = countOf(checkpoint, `${LAYER}.`, '.mha_layer.in_proj_weight');
  const [feedForward] = shapeOf(checkpoint, `${LAYER}.0.ffn_module1.1.ffn.0.weight`, 2);
  const [, , depthwiseTaps] = shapeOf(checkpoint, `${LAYER}.0.convolution_module.conv.weight`, 3);
  const sizes = { width, layers, feedForward: feedForward!, depthwiseTaps: depthwiseTaps! };
  const bias = checkpoint.tensors.get(`${LAYER}.0.mha_layer.pos_bias_u`)?.shape;
  if (bias !== undefined) return { ...sizes, heads: bias[1] ?? 1 };
  const heads = options.heads ?? PUBLISHED.get(width)?.heads;
  if (heads === undefined) {
    throw new UsageError(
      'speechbrain-conformer: with rotary positions the shapes do not tell the number of heads; say it',
    );
  }
  return { ...sizes, heads, positions: 'rotary' };
}

function networkOf(
  checkpoint: Checkpoint,
  mels: number,
  options: ConformerImportOptions,
): ConformerCtcConfig {
  const blocks = countOf(checkpoint, '0.convblock_', '.convs.conv_0.conv.weight');
  const convolutions = Array.from({ length: blocks }, (_, b) =>
    shapeOf(checkpoint, `0.convblock_${b}.convs.conv_0.conv.weight`, 4),
  );
  const [width] = shapeOf(checkpoint, '1.custom_src_module.layers.0.w.weight', 2);
  // With an attention decoder its linear is 2. and the CTC head 3.; without one the CTC head is 2.
  const head = checkpoint.tensors.has('3.w.weight') ? '3' : '2';
  const [classes] = shapeOf(checkpoint, `${head}.w.weight`, 2);
  return {
    type: 'speechbrain-conformer-ctc',
    frontEnd: {
      mels,
      channels: convolutions.map(([out]) => out!),
      kernelSizes: convolutions.map(([, , kernel]) => kernel!),
      strides: convolutions.map(() => STRIDE),
    },
    encoder: encoderOf(checkpoint, width!, options),
    classes: classes!,
    head,
  };
}

/** Text of a piece; none of those that stand for no text. */
const labelOf = ({ text, type }: SentencePiece): string =>
  type === 'control' || type === 'unknown' ? '' : text;

/** Imports a published model. Throws ModelError or ImportError where the files are not what they should be. */
export async function importSpeechBrainConformer(
  open: OpenFile,
  options: ConformerImportOptions = {},
): Promise<ImportedNetwork> {
  const checkpoint = await requireCheckpoint(open, ['asr.ckpt', 'model.ckpt', 'model.safetensors']);
  const normalizer = await readNormalizer(await requireCheckpoint(open, ['normalizer.ckpt']));
  const network = networkOf(checkpoint, normalizer.mean.size, options);
  const { width } = network.encoder;
  const notes: string[] = [];

  const yaml = numbersOfYaml(await readText(open, 'hyperparams.yaml'));
  const sampleRate = yaml.get('sample_rate') ?? SAMPLE_RATE;
  const samplesOf = (milliseconds: number | undefined) =>
    milliseconds === undefined ? undefined : Math.round((milliseconds * sampleRate) / 1000);
  const published = PUBLISHED.get(width);
  const fftSize = options.fftSize ?? yaml.get('n_fft') ?? published?.fftSize;
  const windowSamples =
    options.windowSamples ?? samplesOf(yaml.get('win_length')) ?? published?.windowSamples;
  if (fftSize === undefined || windowSamples === undefined) {
    throw new UsageError(
      `speechbrain-conformer: width ${width} is none of the published models, and no hyperparams.yaml says n_fft and ` +
        'win_length: say them (--fft, --window)',
    );
  }
  if (options.fftSize === undefined && !yaml.has('n_fft')) {
    notes.push(
      `no hyperparams.yaml: an FFT of ${fftSize} samples and a window of ${windowSamples} are assumed`,
    );
  }

  const tokenizer = await open('tokenizer.ckpt');
  let labels = Array.from({ length: network.classes }, (_, c) => (c === 0 ? '' : `\u2581<${c}>`));
  if (tokenizer === null) notes.push('no tokenizer.ckpt: pieces are shown as their numbers');
  else {
    const { pieces } = await readSentencePiece(await tokenizer.read(0, tokenizer.size));
    if (pieces.length !== network.classes) {
      throw new ModelError(
        `speechbrain-conformer: tokenizer.ckpt has ${pieces.length} pieces, the head ${network.classes} classes: the files ` +
          'are of different models',
      );
    }
    // Piece 0, the unknown one, is the blank of CTC.
    labels = pieces.map((piece, c) => (c === 0 ? '' : labelOf(piece)));
  }

  const config: NetworkModelConfig = {
    name: options.name ?? `speechbrain-conformer-d${width}`,
    task: 'recognition',
    labels,
    units: 'pieces',
    frontEnd: {
      sampleRate,
      fftSize,
      windowSamples,
      hopSamples: samplesOf(yaml.get('hop_length')) ?? (HOP_MILLISECONDS * sampleRate) / 1000,
      mels: normalizer.mean.size,
      minHertz: 0,
      maxHertz: sampleRate / 2,
      spectrum: 'power',
      compression: 'decibel',
      topDecibels: 80,
    },
    network,
    licence: 'that of the published checkpoint',
    trainingData: ['see the model card of the checkpoint'],
  };
  const statistics = new Map([
    [FEATURE_MEAN, floats(FEATURE_MEAN, normalizer.mean)],
    [FEATURE_DEVIATION, floats(FEATURE_DEVIATION, normalizer.deviation)],
  ]);
  const isLeftOut = (name: string) =>
    LEFT_OUT.test(name) ||
    name.endsWith('.num_batches_tracked') ||
    (network.head === '3' && /^2\.w\./.test(name));
  return importNetwork(config, [{ checkpoint, prefix: '' }], isLeftOut, statistics, notes);
}
