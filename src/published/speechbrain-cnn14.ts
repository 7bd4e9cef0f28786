/**
 * SpeechBrain's CNN14 for sound classification as it is published: embedding_model.ckpt, classifier.ckpt and, where it is
 * there, label_encoder.txt or .ckpt and hyperparams.yaml. There are two front ends: that of the published model (44.1 kHz,
 * decibels; it has the cosine head) and that of today's recipe (16 kHz, log(1 + x); it has the linear head).
 */
import type { AnyFrontEnd } from '../audio/index.js';
import type { NetworkModelConfig } from '../codec/index.js';
import type { Cnn14Config } from '../nn/index.js';
import { UsageError } from '../tensor/index.js';
import {
  countOf,
  type OpenFile,
  type PublishedCheckpoint,
  readText,
  requireCheckpoint,
  shapeOf,
} from './files.js';
import { labelsOfEncoder, numbersOfYaml } from './hyperparams.js';
import { type ImportedNetwork, importNetwork } from './network.js';

export interface Cnn14ImportOptions {
  readonly name?: string;
  /** Where this is left out, the sample rate of hyperparams.yaml decides, or else the head. */
  readonly frontEnd?: '16k' | '44k';
  /** Longest clip that is classified at once; default 5, as ESC-50 has them. */
  readonly clipSeconds?: number;
}

const frontEnds: Readonly<Record<'16k' | '44k', (mels: number) => AnyFrontEnd>> = {
  '16k': (mels) => ({
    sampleRate: 16000,
    fftSize: 1024,
    windowSamples: 372,
    hopSamples: 186,
    mels,
    minHertz: 0,
    maxHertz: 8000,
    spectrum: 'magnitude',
    compression: 'log1p',
    topDecibels: null,
  }),
  '44k': (mels) => ({
    sampleRate: 44100,
    fftSize: 1024,
    windowSamples: 1024,
    hopSamples: 512,
    mels,
    minHertz: 0,
    maxHertz: 8000,
    spectrum: 'magnitude',
    compression: 'decibel',
    topDecibels: 80,
  }),
};

const MODEL = "CNN14 of SpeechBrain's recipes";

function networkOf(embedding: PublishedCheckpoint, classifier: PublishedCheckpoint): Cnn14Config {
  const [mels] = shapeOf(embedding, 'norm0.weight', 1, MODEL);
  const nameOf = (block: number) => `conv_block${block}.conv1.weight`;
  const channels = Array.from(
    { length: countOf(embedding, nameOf, 1) },
    (_, b) => shapeOf(embedding, nameOf(b + 1), 4, MODEL)[0]!,
  );
  const [classes, width] = shapeOf(classifier, 'weight', 2, MODEL);
  const common = { type: 'cnn14', mels: mels!, channels, classes: classes! } as const;
  return classifier.tensors.has('bias')
    ? { ...common, head: 'linear' }
    : { ...common, head: 'cosine', headWidth: width! };
}

function frontEndOf(
  { head, mels }: Cnn14Config,
  sampleRate: number | undefined,
  option: '16k' | '44k' | undefined,
): AnyFrontEnd {
  const known = (['16k', '44k'] as const).find((name) => frontEnds[name](mels).sampleRate === sampleRate);
  if (option === undefined && sampleRate !== undefined && known === undefined) {
    throw new UsageError(
      `hyperparams.yaml says a sample rate of ${sampleRate}, which neither front end has: say which is meant (--front-end)`,
    );
  }
  return frontEnds[option ?? known ?? (head === 'cosine' ? '44k' : '16k')](mels);
}

/**
 * Imports a published model. Throws SourceError where a file is missing, FormatError where one is damaged, ModelError or
 * ImportError where it is of another network, UsageError where an option is needed.
 */
export async function importSpeechBrainCnn14(
  open: OpenFile,
  options: Cnn14ImportOptions = {},
): Promise<ImportedNetwork> {
  const embedding = await requireCheckpoint(open, ['embedding_model.ckpt']);
  const classifier = await requireCheckpoint(open, ['classifier.ckpt']);
  const network = networkOf(embedding, classifier);
  const { classes } = network;
  const notes: string[] = [];
  const text = (await readText(open, 'label_encoder.txt')) ?? (await readText(open, 'label_encoder.ckpt'));
  const labels = labelsOfEncoder(text, classes);
  if (labels === null) {
    notes.push('no label_encoder.txt with a label for each class: classes are shown as their numbers');
  }
  const yaml = numbersOfYaml(await readText(open, 'hyperparams.yaml'));
  const config: NetworkModelConfig = {
    name: options.name ?? 'speechbrain-cnn14',
    task: 'classification',
    labels: labels ?? Array.from({ length: classes }, (_, c) => `class ${c}`),
    frontEnd: frontEndOf(network, yaml.get('sample_rate'), options.frontEnd),
    normalization: 'none',
    clipSeconds: options.clipSeconds ?? 5,
    network,
    licence: 'that of the published checkpoint',
    trainingData: ['see the model card of the checkpoint'],
  };
  const sources = [
    { checkpoint: embedding, prefix: 'embedding_model.' },
    { checkpoint: classifier, prefix: 'classifier.' },
  ];
  const isLeftOut = (name: string) => name.endsWith('.num_batches_tracked');
  return importNetwork(config, sources, isLeftOut, new Map(), notes);
}
