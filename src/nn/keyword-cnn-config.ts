/**
 * Keyword spotting networks of the Hello Edge family (Zhang et al. 2018, arXiv 1711.07128): a picture of one utterance,
 * frames by features, through convolutions or depthwise-separable convolutions and linear layers to one class. This file
 * has no layers: configuration, geometry and cost.
 *
 * State dict, with PyTorch's layouts; N counts layers from 0, `norm` has weight, bias, running_mean and running_var:
 *
 *   convolution   layers.N.weight [out, in, time, frequency], layers.N.bias, layers.N.norm.*
 *   separable     layers.N.depthwise.weight [in, 1, time, frequency], .bias, .norm.*
 *                 layers.N.pointwise.weight [out, in, 1, 1], .bias, .norm.*
 *   linear        layers.N.weight [out, in], layers.N.bias, layers.N.norm.*; a map is flattened as [time, frequency,
 *                 channel]
 *   head          head.weight [classes, in], head.bias
 */
import { ModelError } from '../tensor/index.js';
import type { CutShape, Half, HalfMacs, NetworkKind } from './network.js';

/** Along time and frequency. */
type Pair = readonly [number, number];

/** `same` is TensorFlow's: ceil(n / stride) outputs, with one zero more behind than before where the number is odd. */
export type KeywordPadding = 'same' | 'valid';

interface Window {
  /** Output channels. */
  readonly channels: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: KeywordPadding;
}

/** What follows a product: batch norm (epsilon 0.001), then an activation. */
interface After {
  readonly norm: boolean;
  readonly activation: 'none' | 'relu';
}

export type KeywordConvolutionConfig = { readonly kind: 'convolution' } & Window & After;
/** Depthwise convolution, batch norm, ReLU, pointwise convolution, batch norm, ReLU. */
export type KeywordSeparableConfig = { readonly kind: 'separable' } & Window;
/** Of the whole map, flattened; what comes out is a map of one step and one band. */
export type KeywordLinearConfig = { readonly kind: 'linear'; readonly features: number } & After;
/** The mean over all steps and bands of each channel. */
export interface KeywordAveragePoolConfig {
  readonly kind: 'average-pool';
}

export type KeywordLayerConfig =
  | KeywordConvolutionConfig
  | KeywordSeparableConfig
  | KeywordLinearConfig
  | KeywordAveragePoolConfig;

export interface KeywordCnnConfig {
  readonly type: 'keyword-cnn';
  /** Feature frames of an utterance: no more and no fewer. */
  readonly frames: number;
  /** Features of a frame. */
  readonly features: number;
  readonly layers: readonly KeywordLayerConfig[];
  /** Classes of the head, a linear layer after the last one. */
  readonly classes: number;
}

/** What is between two layers. */
export interface KeywordMap extends CutShape {
  readonly steps: number;
}

export const KEYWORD_NORM_EPSILON = 0.001;

/** Zeros before and after an axis of `length`, and what a window makes of it. */
export function windowAlong(
  length: number,
  kernel: number,
  stride: number,
  padding: KeywordPadding,
): { readonly before: number; readonly after: number; readonly outputs: number } {
  if (padding === 'valid') {
    return { before: 0, after: 0, outputs: Math.max(0, Math.floor((length - kernel) / stride) + 1) };
  }
  const outputs = Math.ceil(length / stride);
  const zeros = Math.max(0, (outputs - 1) * stride + kernel - length);
  const before = Math.floor(zeros / 2);
  return { before, after: zeros - before, outputs };
}

/** What a layer makes of a map. */
export function keywordMapAfter(layer: KeywordLayerConfig, map: KeywordMap): KeywordMap {
  if (layer.kind === 'average-pool') return { steps: 1, bands: 1, channels: map.channels };
  if (layer.kind === 'linear') return { steps: 1, bands: 1, channels: layer.features };
  const { kernel, stride, padding, channels } = layer;
  return {
    steps: windowAlong(map.steps, kernel[0], stride[0], padding).outputs,
    bands: windowAlong(map.bands, kernel[1], stride[1], padding).outputs,
    channels,
  };
}

/** The maps before the first layer, between layers and after the last: as many as layers, and one. */
export function keywordMaps(config: KeywordCnnConfig, frames = config.frames): KeywordMap[] {
  const maps: KeywordMap[] = [{ steps: frames, bands: config.features, channels: 1 }];
  for (const layer of config.layers) maps.push(keywordMapAfter(layer, maps[maps.length - 1]!));
  return maps;
}

export const elementsOf = ({ steps, bands, channels }: KeywordMap): number => steps * bands * channels;

/** Sizes beyond every published model; they bound what a header can make us allocate. */
const MOST_FRAMES = 4096;
const MOST_FEATURES = 1024;
const MOST_LAYERS = 64;
const MOST_CHANNELS = 8192;
const MOST_KERNEL = 127;
const MOST_CLASSES = 1 << 16;
/** Elements of a map, and of a layer's weight. */
const MOST_ELEMENTS = 1 << 26;

const fail = (message: string): never => {
  throw new ModelError(`keyword network: ${message}`);
};

function requireSize(name: string, value: unknown, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return;
  fail(`${name} is ${JSON.stringify(value)}, expected a whole number from 1 to ${most}`);
}

function requireOneOf(name: string, value: unknown, known: readonly unknown[]): void {
  if (known.includes(value)) return;
  fail(
    `${name} is ${JSON.stringify(value)}, expected ${known.map((each) => JSON.stringify(each)).join(', ')}`,
  );
}

function requirePair(name: string, value: unknown, most: number): void {
  if (!Array.isArray(value) || value.length !== 2) fail(`${name} is no pair of time and frequency`);
  for (const each of value as unknown[]) requireSize(name, each, most);
}

const KINDS: readonly KeywordLayerConfig['kind'][] = ['convolution', 'separable', 'linear', 'average-pool'];

/** Throws ModelError where the fields of a layer, of whatever a file holds, are not those of its kind. */
function checkLayer(name: string, layer: KeywordLayerConfig | null | undefined): void {
  const kind = layer?.kind;
  requireOneOf(`${name}, kind`, kind, KINDS);
  if (layer?.kind === 'convolution' || layer?.kind === 'separable') {
    requireSize(`${name}, channels`, layer.channels, MOST_CHANNELS);
    requirePair(`${name}, kernel`, layer.kernel, MOST_KERNEL);
    requirePair(`${name}, stride`, layer.stride, MOST_KERNEL);
    requireOneOf(`${name}, padding`, layer.padding, ['same', 'valid']);
  }
  if (layer?.kind === 'linear') requireSize(`${name}, features`, layer.features, MOST_CHANNELS);
  if (layer?.kind === 'convolution' || layer?.kind === 'linear') {
    requireOneOf(`${name}, norm`, layer.norm, [true, false]);
    requireOneOf(`${name}, activation`, layer.activation, ['none', 'relu']);
  }
}

/** Throws ModelError where a configuration could not be a network; it bounds every size. */
export function checkKeywordCnn(config: KeywordCnnConfig): void {
  requireSize('frames', config.frames, MOST_FRAMES);
  requireSize('features', config.features, MOST_FEATURES);
  requireSize('classes', config.classes, MOST_CLASSES);
  const { layers } = config;
  if (!Array.isArray(layers) || layers.length < 1 || layers.length > MOST_LAYERS) {
    fail(`layers are no list of 1 to ${MOST_LAYERS}`);
  }
  layers.forEach((layer, n) => {
    checkLayer(`layer ${n + 1}`, layer);
  });
  const maps = keywordMaps(config);
  maps.forEach((map, n) => {
    const elements = elementsOf(map);
    const text = `${map.steps} x ${map.bands} x ${map.channels}`;
    if (elements < 1) fail(`layer ${n} is larger than its input: nothing is left`);
    if (elements > MOST_ELEMENTS) fail(`layer ${n} gives ${text} numbers, more than ${MOST_ELEMENTS}`);
  });
  const weights = [...layers.map((layer, n) => weightElements(layer, maps[n]!)), headMacs(config, maps)];
  weights.forEach((elements, n) => {
    if (elements > MOST_ELEMENTS) {
      fail(`layer ${n + 1} has ${elements} weights, more than ${MOST_ELEMENTS}`);
    }
  });
}

/** Elements of the largest weights of a layer. */
function weightElements(layer: KeywordLayerConfig, before: KeywordMap): number {
  if (layer.kind === 'average-pool') return 0;
  if (layer.kind === 'linear') return elementsOf(before) * layer.features;
  const taps = layer.kernel[0] * layer.kernel[1];
  if (layer.kind === 'convolution') return taps * before.channels * layer.channels;
  return before.channels * (taps + layer.channels);
}

/** A linear layer uses each weight once, a convolution once for each place of its outputs. */
function layerMacs(layer: KeywordLayerConfig, before: KeywordMap, after: KeywordMap): number {
  const places = layer.kind === 'linear' ? 1 : after.steps * after.bands;
  return places * weightElements(layer, before);
}

const headMacs = (config: KeywordCnnConfig, maps: readonly KeywordMap[]): number =>
  elementsOf(maps[maps.length - 1]!) * config.classes;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

const NORM = ['weight', 'bias', 'running_mean', 'running_var'].map((name) => `norm.${name}`);

/** Names of a layer's parameters, after `layers.N.`. */
function parameterNames(layer: KeywordLayerConfig): readonly string[] {
  const product = (norm: boolean): string[] => ['weight', 'bias', ...(norm ? NORM : [])];
  if (layer.kind === 'average-pool') return [];
  if (layer.kind !== 'separable') return product(layer.norm);
  return ['depthwise', 'pointwise'].flatMap((part) => product(true).map((name) => `${part}.${name}`));
}

function halfOf(config: KeywordCnnConfig, layer: number, name: string): Half | null {
  if (name === 'head.weight' || name === 'head.bias') return 'cloud';
  const [, number, rest = ''] = /^layers\.(0|[1-9]\d*)\.(.+)$/.exec(name) ?? [];
  const owner = config.layers[Number(number)];
  if (owner === undefined || !parameterNames(owner).includes(rest)) return null;
  return Number(number) < layer ? 'device' : 'cloud';
}

export const keywordCnnKind: NetworkKind<KeywordCnnConfig> = {
  check: checkKeywordCnn,
  task: 'classification',
  describe: ({ layers }) => `keyword network, ${layers.map(({ kind }) => kind).join(', ')}`,
  features: ({ features }) => features,
  layers: ({ layers }) => layers.length,
  cut(config, layer) {
    const { bands, channels } = keywordMaps(config)[layer]!;
    return { bands, channels };
  },
  steps: (config, layer, frames) => keywordMaps(config, frames)[layer]!.steps,
  leastFrames: ({ frames }) => frames,
  mostFrames: ({ frames }) => frames,
  halfOf,
  macs(config, layer, frames): HalfMacs {
    const maps = keywordMaps(config, frames);
    const each = config.layers.map((one, n) => layerMacs(one, maps[n]!, maps[n + 1]!));
    return {
      device: sum(each.slice(0, layer)),
      cloud: sum(each.slice(layer)) + headMacs(config, maps),
    };
  },
};
