/** Sounds of ESC-10 in training. */
import type { FrontEndConfig } from '../../../audio/log-mel.js';
import { type Cnn14Config, cnn14Kind } from '../../../nn/index.js';
import { UsageError } from '../../../tensor/index.js';
import { changeSpeed, deviceColour, gain, type Random, rotate, uniform } from '../../augmentation/index.js';
import { type LoadedClips, loadClips, splitByFold } from '../../data/index.js';
import { trainableCnn14 } from '../../networks/cnn14.js';
import { ClassifierWorkload, clipOf, type Labelled } from '../classifier.js';
import type { CodingOptions } from '../coding.js';
import { findDatasets } from '../datasets.js';
import { type FeatureAugmentation, Features, type StoredStatistics } from '../features.js';

export const CLIP_SECONDS = 5;

export const FRONT_END: FrontEndConfig = {
  sampleRate: 16000,
  fftSize: 1024,
  windowSamples: 1024,
  hopSamples: 400,
  mels: 64,
  minHertz: 50,
  maxHertz: 8000,
  spectrum: 'power',
  compression: 'decibel',
  topDecibels: 80,
};

/** Classes in the order of their names. */
export const LABELS: readonly string[] = [
  'chainsaw',
  'clock_tick',
  'crackling_fire',
  'crying_baby',
  'dog',
  'helicopter',
  'rain',
  'rooster',
  'sea_waves',
  'sneezing',
];

export const NETWORK: Cnn14Config = {
  type: 'cnn14',
  mels: FRONT_END.mels,
  channels: [8, 16, 32, 64, 128, 128],
  classes: LABELS.length,
  head: 'linear',
};

/** Numbers of a step after `splitLayer` blocks: bands times channels. */
export function stepWidth(splitLayer: number): number {
  const { bands, channels } = cnn14Kind.cut(NETWORK, splitLayer);
  return bands * channels;
}

export interface Esc10Options {
  readonly data: string;
  /** Folds that training does not hear: the first is that of validation. Empty: all are trained on. */
  readonly held: readonly number[];
  readonly statistics: StoredStatistics;
  readonly batch: number;
  readonly mixup: number;
  readonly coding: CodingOptions | null;
}

const DATASETS = ['esc10-16k', 'ESC-50', 'ESC-10'];

const AUGMENTATION: FeatureAugmentation = {
  warp: [0.88, 1.14],
  masks: { timeMasks: 2, mostFrames: 24, frequencyMasks: 2, mostFeatures: 10 },
};

export async function loadEsc10(folder: string): Promise<LoadedClips> {
  const [found] = await findDatasets(folder, DATASETS);
  if (found === undefined) throw new UsageError(`esc10: ${folder} must hold one of ${DATASETS.join(', ')}`);
  const clips = found.clips.filter(({ label }) => LABELS.includes(label));
  return loadClips([{ ...found, clips }], { sampleRate: FRONT_END.sampleRate });
}

/** Clips of some folds, and the others, as labelled recordings. */
export function foldsOf(
  loaded: LoadedClips,
  held: readonly number[],
): { held: Labelled[]; others: Labelled[] } {
  const length = CLIP_SECONDS * FRONT_END.sampleRate;
  const numbers = new Map(loaded.clips.map((clip, n) => [clip, n]));
  const labelled = (clip: LoadedClips['clips'][number]): Labelled => ({
    path: clip.path,
    label: LABELS.indexOf(clip.label),
    samples: () => clipOf(loaded.samples(numbers.get(clip)!), length),
  });
  const parts = splitByFold(loaded.clips, held);
  return { held: parts.held.map(labelled), others: parts.others.map(labelled) };
}

/** A sound somewhere else in its clip, by another device, at another level and speed. */
function augment(samples: Float32Array, random: Random): Float32Array {
  let x: Float32Array = rotate(samples, Math.floor(random() * samples.length));
  if (random() < 0.5)
    x = clipOf(repeated(changeSpeed(x, uniform(random, [0.85, 1.18])), samples.length), samples.length);
  if (random() < 0.5) {
    x = deviceColour(x, FRONT_END.sampleRate, random, { most: uniform(random, [2, 8]) });
  }
  return gain(x, uniform(random, [-15, 6]));
}

/** Samples again from their start until they are `length`. */
function repeated(samples: Float32Array, length: number): Float32Array {
  if (samples.length >= length || samples.length === 0) return samples;
  const out = new Float32Array(length);
  for (let at = 0; at < length; at += samples.length) out.set(samples.subarray(0, length - at), at);
  return out;
}

export async function createWorkload(options: unknown): Promise<ClassifierWorkload> {
  const { data, held, statistics, batch, mixup, coding } = options as Esc10Options;
  const loaded = await loadEsc10(data);
  const { others } = foldsOf(loaded, held);
  const splitLayer = coding?.splitLayer ?? NETWORK.channels.length;
  return new ClassifierWorkload({
    network: trainableCnn14(NETWORK, splitLayer),
    stepWidth: stepWidth(splitLayer),
    classes: LABELS.length,
    coding,
    features: new Features(FRONT_END, statistics),
    augmentation: AUGMENTATION,
    batch,
    mixup,
    smoothing: 0.1,
    training: others,
    validation: foldsOf(loaded, held.slice(0, 1)).held,
    augment,
  });
}
