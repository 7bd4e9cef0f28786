/**
 * SpeechBrain's CNN14 for sound classification as it is published: embedding_model.ckpt, classifier.ckpt and, where it is
 * there, label_encoder.txt or .ckpt. There are two front ends, which the head tells apart: the published model (cosine
 * head, 44.1 kHz, decibels) and today's recipe (linear head, 16 kHz, log(1 + x)).
 */
import type { AnyFrontEnd } from '../audio/index.js';
import type { Checkpoint } from '../checkpoints/index.js';
import type { NetworkModelConfig } from '../codec/index.js';
import type { Cnn14Config } from '../nn/index.js';
import { ModelError } from '../tensor/index.js';
import { type OpenFile, readText, requireCheckpoint } from './files.js';
import { type ImportedNetwork, importNetwork } from './network.js';

export interface Cnn14ImportOptions {
  readonly name?: string;
  /** Overrides the front end that the head speaks of. */
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

function shapeOf(checkpoint: Checkpoint, file: string, name: string): readonly number[] {
  const shape = checkpoint.tensors.get(name)?.shape;
  if (shape !== undefined && shape.length > 0) return shape;
  throw new ModelError(
    `speechbrain-cnn14: ${file} has no tensor ${name}: this is no CNN14 of SpeechBrain's recipes`,
  );
}

function networkOf(embedding: Checkpoint, classifier: Checkpoint): Cnn14Config {
  const [mels] = shapeOf(embedding, 'embedding_model.ckpt', 'norm0.weight');
  const channels: number[] = [];
  while (embedding.tensors.has(`conv_block${channels.length + 1}.conv1.weight`)) {
    channels.push(
      shapeOf(embedding, 'embedding_model.ckpt', `conv_block${channels.length + 1}.conv1.weight`)[0]!,
    );
  }
  const [classes, width] = shapeOf(classifier, 'classifier.ckpt', 'weight');
  const common = { type: 'cnn14', mels: mels!, channels, classes: classes! } as const;
  return classifier.tensors.has('bias')
    ? { ...common, head: 'linear' }
    : { ...common, head: 'cosine', headWidth: width ?? 1 };
}

/** Labels of SpeechBrain's label encoder: lines of `'dog' => 0`. */
function labelsOf(text: string | null, classes: number): string[] | null {
  const labels = new Array<string | undefined>(classes).fill(undefined);
  for (const [, label, number] of (text ?? '').matchAll(/^'(.*)' => (\d+)\r?$/gm)) {
    if (Number(number) < classes) labels[Number(number)] = label!;
  }
  return labels.every((label) => label !== undefined) ? (labels as string[]) : null;
}

/** Imports a published model. Throws ModelError or ImportError where the files are not what they should be. */
export async function importSpeechBrainCnn14(
  open: OpenFile,
  options: Cnn14ImportOptions = {},
): Promise<ImportedNetwork> {
  const embedding = await requireCheckpoint(open, ['embedding_model.ckpt']);
  const classifier = await requireCheckpoint(open, ['classifier.ckpt']);
  const network = networkOf(embedding, classifier);
  const notes: string[] = [];
  const text = (await readText(open, 'label_encoder.txt')) ?? (await readText(open, 'label_encoder.ckpt'));
  const labels = labelsOf(text, network.classes);
  if (labels === null)
    notes.push('no label_encoder.txt with a label for each class: classes are shown as their numbers');
  const frontEnd = options.frontEnd ?? (network.head === 'cosine' ? '44k' : '16k');
  const config: NetworkModelConfig = {
    name: options.name ?? 'speechbrain-cnn14',
    task: 'classification',
    labels: labels ?? Array.from({ length: network.classes }, (_, c) => `class ${c}`),
    frontEnd: frontEnds[frontEnd](network.mels),
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
