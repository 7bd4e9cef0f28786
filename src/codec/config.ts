/** What a model says of itself: everything needed to run it, checked before it is believed. */
import {
  type AnyFrontEnd,
  checkAnyFrontEnd,
  frontEndFeatures,
  frontEndFrames,
  isMfcc,
} from '../audio/front-end.js';
import type { FrontEndConfig } from '../audio/log-mel.js';
import { MOST_CODEBOOKS } from '../bitstream/header.js';
import { MOST_CODEWORDS } from '../entropy/frequency-table.js';
import type { ConformerCtcConfig } from '../nn/conformer-ctc.js';
import { kindOf, NETWORK_TYPES, type NetworkConfig } from '../nn/kinds.js';
import { AcomError, ModelError } from '../tensor/index.js';
import { type Check, fail, list, nullOr, number, oneOf, optional, record, text, whole } from './checks.js';

export interface QuantizerConfig {
  /** Stages K of residual quantisation. */
  readonly codebooks: number;
  readonly codewords: number;
  /** Consecutive time steps that become one before they are quantised. */
  readonly pooling: number;
  /**
   * How they do: by their mean, which stands for all of them in the cloud; or one after another as one long vector, of which
   * maps (`projection`) can make what training found. Left out: averaging.
   */
  readonly pooledBy?: 'averaging' | 'stacking';
  /** Codebooks that an encoder uses where it is not told. */
  readonly defaultCodebooks: number;
  /**
   * What one vector is: all frequency bands of a time step, or each time-frequency position. Left out: a step. Of a
   * conformer, whose frames have one band, both are the same.
   */
  readonly vectors?: 'step' | 'position';
  /** Parts of equal width that a vector is cut into, each with codebooks of its own. Left out: 1. */
  readonly groups?: number;
  /**
   * Numbers of a vector in the space in which codewords are compared, where that is not the vectors' own: a map of the
   * device's leads there, one of the cloud's back. Left out: there are no maps.
   */
  readonly projection?: number;
}

export type Task = 'recognition' | 'classification';

/** A network and what it was trained for: what an import makes, and what codebooks are fitted to. */
export interface NetworkModelConfig {
  readonly name: string;
  readonly task: Task;
  /** What each class of the head means; class 0 of a recogniser is the CTC blank. */
  readonly labels: readonly string[];
  /** What a recogniser's label is: a word, or a piece of one, of which U+2581 begins a word. Left out: a word. */
  readonly units?: 'words' | 'pieces';
  readonly frontEnd: AnyFrontEnd;
  /** Whether features are shifted and scaled by statistics that are stored with the weights. Left out: they are. */
  readonly normalization?: 'stored' | 'none';
  /** Longest clip that a classifier takes at once; longer recordings are clips in a row. Only of classification. */
  readonly clipSeconds?: number;
  readonly network: NetworkConfig;
  readonly licence: string;
  readonly trainingData: readonly string[];
}

/** A network with the place where it is cut and the codebooks for what goes over the cut. */
export interface CodecConfig extends NetworkModelConfig {
  /** Layers that run on the device. */
  readonly splitLayer: number;
  readonly quantizer: QuantizerConfig;
}

/** What a recogniser is made of. Throws ModelError for other models. */
export function recognizerOf({ name, frontEnd, network }: NetworkModelConfig): {
  readonly frontEnd: FrontEndConfig;
  readonly network: ConformerCtcConfig;
} {
  if (network.type === 'speechbrain-conformer-ctc' && !isMfcc(frontEnd)) return { frontEnd, network };
  throw new ModelError(`${name} is no recogniser: it has a network of type ${network.type}`);
}

export const isCodec = (config: NetworkModelConfig): config is CodecConfig => 'quantizer' in config;

const spectrogram = {
  sampleRate: number,
  fftSize: number,
  windowSamples: number,
  hopSamples: number,
  mels: number,
  minHertz: number,
  maxHertz: number,
};
const logMel = record({
  ...spectrogram,
  spectrum: oneOf('power', 'magnitude'),
  compression: oneOf('decibel', 'log1p', 'none'),
  topDecibels: nullOr(number),
});
const mfcc = record({ ...spectrogram, type: oneOf('mfcc'), coefficients: number });
const frontEndCheck: Check = (value, path) => {
  const isTyped = typeof value === 'object' && value !== null && 'type' in value;
  (isTyped ? mfcc : logMel)(value, path);
};

const checkNetworkModel = record({
  name: text,
  task: oneOf('recognition', 'classification'),
  labels: list(text),
  units: optional(oneOf('words', 'pieces')),
  frontEnd: frontEndCheck,
  normalization: optional(oneOf('stored', 'none')),
  clipSeconds: optional(number),
  network: record({ type: oneOf(...NETWORK_TYPES) }),
  licence: text,
  trainingData: list(text),
});

/** It bounds what a header can make us allocate. */
const MOST_PROJECTION = 1 << 16;

const checkCodec = record({
  splitLayer: whole(0, 256),
  quantizer: record({
    codebooks: whole(1, MOST_CODEBOOKS),
    codewords: whole(1, MOST_CODEWORDS),
    pooling: whole(1, 64),
    pooledBy: optional(oneOf('averaging', 'stacking')),
    defaultCodebooks: whole(1, MOST_CODEBOOKS),
    vectors: optional(oneOf('step', 'position')),
    groups: optional(whole(1, MOST_CODEBOOKS)),
    projection: optional(whole(1, MOST_PROJECTION)),
  }),
});

/** Fields of a network whose kind does not look at their types itself. */
const checkNetwork: Readonly<Partial<Record<NetworkConfig['type'], Check>>> = {
  'speechbrain-conformer-ctc': record({
    frontEnd: record({
      mels: number,
      channels: list(number),
      kernelSizes: list(number),
      strides: list(number),
    }),
    encoder: record({
      width: number,
      heads: number,
      layers: number,
      feedForward: number,
      depthwiseTaps: number,
    }),
    classes: number,
    head: text,
  }),
};

function requireConsistent(config: NetworkModelConfig): void {
  const { frontEnd, network, labels, task } = config;
  try {
    checkAnyFrontEnd(frontEnd);
  } catch (error) {
    if (error instanceof AcomError) throw new ModelError(`codec model: ${error.message}`);
    throw error;
  }
  const kind = kindOf(network);
  kind.check(network);
  const { classes } = network;
  if (labels.length !== classes) fail('labels', `${classes} labels, one for each class`, labels.length);
  const features = frontEndFeatures(frontEnd);
  if (features !== kind.features(network)) {
    fail('frontEnd', `${kind.features(network)} features a frame for the network`, features);
  }
  if (task === 'recognition') recognizerOf(config);
  if (task !== kind.task) fail('task', `${kind.task}, which is what ${network.type} does`, task);
  if (task === 'recognition') requireLiveFeatures(config);
  if (task === 'recognition' && config.clipSeconds !== undefined)
    fail('clipSeconds', 'none', config.clipSeconds);
  if (task === 'classification') requireClip(config);
}

/**
 * Throws where a network runs in chunks and its features wait for the end of a recording, or are there before the samples that
 * tell whether another one comes.
 */
function requireLiveFeatures(config: NetworkModelConfig): void {
  const { frontEnd, network } = recognizerOf(config);
  if (network.encoder.chunks === undefined) return;
  const { topDecibels, fftSize, hopSamples } = frontEnd;
  if (topDecibels !== null)
    fail('frontEnd.topDecibels', 'null where the network runs in chunks', topDecibels);
  if (fftSize < 2 * hopSamples)
    fail('frontEnd.fftSize', 'two hops where the network runs in chunks', fftSize);
}

/** Longest clip that is classified at once, in seconds and in samples: it bounds what one feature map takes. */
const MOST_CLIP_SECONDS = 600;
const MOST_CLIP_SAMPLES = 1 << 26;

/** Samples of a classifier's whole clip. */
export const clipSamplesOf = ({ clipSeconds = 0, frontEnd }: NetworkModelConfig): number =>
  Math.round(clipSeconds * frontEnd.sampleRate);

/** Throws where the clips of a classifier are none that its network takes. */
function requireClip(config: NetworkModelConfig): void {
  const { network, frontEnd, clipSeconds } = config;
  if (clipSeconds === undefined || !(clipSeconds > 0 && clipSeconds <= MOST_CLIP_SECONDS)) {
    fail('clipSeconds', `a number above 0 and up to ${MOST_CLIP_SECONDS}`, clipSeconds);
  }
  const samples = clipSamplesOf(config);
  if (samples < 1 || samples > MOST_CLIP_SAMPLES) {
    fail('clipSeconds', `1 to ${MOST_CLIP_SAMPLES} samples at ${frontEnd.sampleRate} a second`, clipSeconds);
  }
  const kind = kindOf(network);
  const frames = frontEndFrames(frontEnd, samples);
  const [least, most] = [kind.leastFrames(network), kind.mostFrames(network)];
  if (frames >= least && frames <= most) return;
  const wanted = least === most ? `${least}` : `at least ${least}`;
  fail('clipSeconds', `as many as give ${wanted} feature frames (these give ${frames})`, clipSeconds);
}

function requireConsistentQuantizer({ network, splitLayer, quantizer }: CodecConfig): void {
  const kind = kindOf(network);
  const layers = kind.layers(network);
  if (splitLayer > layers) fail('splitLayer', `at most ${layers} layers`, splitLayer);
  const { codebooks, defaultCodebooks, groups = 1, vectors = 'step', projection } = quantizer;
  if (defaultCodebooks > codebooks)
    fail('quantizer.defaultCodebooks', `at most ${codebooks}`, defaultCodebooks);
  if (codebooks * groups > MOST_CODEBOOKS) {
    fail('quantizer.groups', `at most ${MOST_CODEBOOKS} codebooks in all groups`, groups);
  }
  const chunk = network.type === 'speechbrain-conformer-ctc' ? network.encoder.chunks?.frames : undefined;
  if (chunk !== undefined && chunk % quantizer.pooling !== 0) {
    fail('quantizer.pooling', `a divisor of the ${chunk} frames of a chunk`, quantizer.pooling);
  }
  const { bands, channels } = kind.cut(network, splitLayer);
  const stacked = quantizer.pooledBy === 'stacking' ? quantizer.pooling : 1;
  if (stacked > 1 && vectors === 'position')
    fail('quantizer.vectors', 'step where steps are stacked', vectors);
  const width = projection ?? (vectors === 'position' ? channels : stacked * bands * channels);
  if (width % groups !== 0) fail('quantizer.groups', `a divisor of the width of a vector, ${width}`, groups);
}

/**
 * Reads a configuration from the JSON of a model file: that of a codec where it has a quantiser, else of a network.
 * Throws ModelError that names what is wrong.
 */
export function parseConfig(json: string): NetworkModelConfig | CodecConfig {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new ModelError(`codec model: the configuration is no JSON: ${(cause as Error).message}`);
  }
  checkNetworkModel(value, '');
  const config = value as NetworkModelConfig;
  checkNetwork[config.network.type]?.(config.network, 'network');
  requireConsistent(config);
  if ('splitLayer' in config || isCodec(config)) {
    checkCodec(config, '');
    requireConsistentQuantizer(config as CodecConfig);
  }
  return config;
}
