/** Ten keywords, other words and silence in training. */
import type { FrontEndConfig } from '../../../audio/log-mel.js';
import type { KeywordConformerConfig } from '../../../nn/index.js';
import { UsageError } from '../../../tensor/index.js';
import { augmentSpeech, choose, integer, type SpeechAugmentation, shift } from '../../augmentation/index.js';
import {
  type ClipProblem,
  type LoadedClips,
  loadClips,
  readDataset,
  type SpeakerSplit,
  splitOf,
} from '../../data/index.js';
import { trainableKeywordConformer } from '../../networks/keyword-conformer.js';
import { ClassifierWorkload, clipOf, type Labelled } from '../classifier.js';
import type { CodingOptions } from '../coding.js';
import { findDatasets } from '../datasets.js';
import { type FeatureAugmentation, Features, type StoredStatistics } from '../features.js';

export const KEYWORDS = ['yes', 'no', 'up', 'down', 'left', 'right', 'on', 'off', 'stop', 'go'] as const;
const UNKNOWN = '_unknown_';
const SILENCE = '_silence_';
export const LABELS: readonly string[] = [...KEYWORDS, UNKNOWN, SILENCE];

export const CLIP_SECONDS = 1;

export const FRONT_END: FrontEndConfig = {
  sampleRate: 16000,
  fftSize: 512,
  windowSamples: 400,
  hopSamples: 160,
  mels: 40,
  minHertz: 20,
  maxHertz: 7600,
  spectrum: 'power',
  compression: 'decibel',
  topDecibels: 80,
};

export const NETWORK: KeywordConformerConfig = {
  type: 'keyword-conformer',
  mels: FRONT_END.mels,
  channels: 48,
  strides: [
    [2, 2],
    [1, 1],
    [2, 2],
    [1, 1],
  ],
  encoder: { width: 64, heads: 4, layers: 3, feedForward: 192, depthwiseTaps: 9 },
  classes: LABELS.length,
};

/** Speakers by part. */
export const SPEAKERS: SpeakerSplit = {
  shares: { train: 0.75, validation: 0.1, test: 0.15 },
  salt: 'keywords',
};

export interface KeywordsOptions {
  readonly data: string;
  /** Manifest folder of synthetic voices, which only training hears; null for none. */
  readonly voices: string | null;
  readonly statistics: StoredStatistics;
  readonly batch: number;
  readonly mixup: number;
  readonly coding: CodingOptions | null;
}

const DATASETS = ['kws-sc-16k', 'speech_commands_v0.02'];

const AUGMENTATION: FeatureAugmentation = {
  warp: [0.9, 1.12],
  masks: { timeMasks: 1, mostFrames: 12, frequencyMasks: 2, mostFeatures: 6, fill: 0 },
};

const SPEECH: SpeechAugmentation = {
  speed: { chance: 0.6, range: [0.86, 1.16] },
  formants: { chance: 0.2, range: [0.9, 1.12] },
  room: { chance: 0.2 },
  noise: { chance: 0.5, range: [5, 35] },
  tilt: { chance: 0.3, range: [-4, 4] },
  device: { chance: 0.3, range: [2, 7] },
  band: { chance: 0.1, range: [3400, 7600] },
  clipping: { chance: 0.05, range: [0.3, 0.8] },
  gain: { chance: 1, range: [-12, 6] },
};

export interface KeywordMaterial {
  readonly training: readonly (Labelled & { readonly isSynthetic: boolean })[];
  readonly validation: readonly Labelled[];
  readonly test: readonly Labelled[];
  /** Recordings that are left out. */
  readonly problems: readonly ClipProblem[];
}

const labelOf = (word: string): number => {
  const known = LABELS.indexOf(word);
  return known < 0 ? LABELS.indexOf(UNKNOWN) : known;
};

export async function loadKeywords(folder: string, voices: string | null): Promise<KeywordMaterial> {
  const recorded = await findDatasets(folder, DATASETS);
  if (recorded.length === 0)
    throw new UsageError(`keywords: ${folder} must hold one of ${DATASETS.join(', ')}`);
  const said = voices === null ? [] : [await readDataset(voices)];
  const synthetic = new Set(said.flatMap(({ clips }) => clips.map(({ file }) => file)));
  const loaded: LoadedClips = await loadClips([...recorded, ...said], { sampleRate: FRONT_END.sampleRate });
  const length = CLIP_SECONDS * FRONT_END.sampleRate;
  const parts = {
    train: [] as (Labelled & { isSynthetic: boolean })[],
    validation: [] as Labelled[],
    test: [] as Labelled[],
  };
  loaded.clips.forEach((clip, n) => {
    const isSynthetic = synthetic.has(clip.file);
    const labelled = {
      path: clip.path,
      label: labelOf(isSynthetic ? (clip.words[0] ?? '') : clip.label),
      isSynthetic,
      samples: () => clipOf(loaded.samples(n), length),
    };
    if (isSynthetic) parts.train.push(labelled);
    else parts[splitOf(clip.speaker ?? clip.path, SPEAKERS)].push(labelled);
  });
  const { validation, test, train: training } = parts;
  return { training, validation, test, problems: loaded.problems };
}

/** Most that a word moves in its clip, in samples. */
const MOST_SHIFT = 0.1 * FRONT_END.sampleRate;

export async function createWorkload(options: unknown): Promise<ClassifierWorkload> {
  const { data, voices, statistics, batch, mixup, coding } = options as KeywordsOptions;
  const { training, validation } = await loadKeywords(data, voices);
  const noises = training.filter(({ label }) => LABELS[label] === SILENCE);
  return new ClassifierWorkload({
    network: trainableKeywordConformer(NETWORK, coding?.splitLayer ?? NETWORK.encoder.layers, {
      dropout: 0.1,
    }),
    stepWidth: NETWORK.encoder.width,
    classes: LABELS.length,
    coding,
    features: new Features(FRONT_END, statistics),
    augmentation: AUGMENTATION,
    batch,
    mixup,
    smoothing: 0.05,
    training,
    validation,
    scored: (label) => label < KEYWORDS.length,
    augment: (samples, random) => {
      const moved = shift(samples, integer(random, [-MOST_SHIFT, MOST_SHIFT]));
      const noise = noises.length > 0 ? [choose(random, noises).samples()] : [];
      return clipOf(augmentSpeech(moved, FRONT_END.sampleRate, random, SPEECH, noise), samples.length);
    },
  });
}
