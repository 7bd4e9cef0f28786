/** What a codec model says of itself: everything needed to run it, checked before it is believed. */
import { checkFrontEnd, type FrontEndConfig } from '../audio/index.js';
import { MOST_CODEBOOKS } from '../bitstream/index.js';
import { MOST_CODEWORDS } from '../entropy/index.js';
import { type ConformerCtcConfig, checkConformerCtc } from '../nn/index.js';
import { AcomError, ModelError } from '../tensor/index.js';

export interface QuantizerConfig {
  readonly codebooks: number;
  readonly codewords: number;
  /** Consecutive frames that share a vector. */
  readonly pooling: number;
  /** Codebooks that an encoder uses where it is not told. */
  readonly defaultCodebooks: number;
}

export interface CodecConfig {
  readonly name: string;
  readonly task: 'recognition';
  /** What each class of the head means; class 0 is the CTC blank. */
  readonly labels: readonly string[];
  readonly frontEnd: FrontEndConfig;
  readonly network: ConformerCtcConfig;
  /** Encoder layers that run on the device. */
  readonly splitLayer: number;
  readonly quantizer: QuantizerConfig;
  readonly licence: string;
  readonly trainingData: readonly string[];
}

type Check = (value: unknown, path: string) => void;

const fail = (path: string, expected: string, value: unknown): never => {
  const shown = JSON.stringify(value) ?? 'missing';
  const short = shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
  throw new ModelError(`codec model: ${path} is ${short}, expected ${expected}`);
};

const text: Check = (value, path) => {
  if (typeof value !== 'string') fail(path, 'text', value);
};
const number: Check = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(path, 'a number', value);
};
const whole =
  (least: number, most: number): Check =>
  (value, path) => {
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      fail(path, `a whole number from ${least} to ${most}`, value);
    }
  };
const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, path) => {
    if (typeof value !== 'string' || !allowed.includes(value)) fail(path, allowed.join(' or '), value);
  };
const nullOr =
  (check: Check): Check =>
  (value, path) => {
    if (value !== null) check(value, path);
  };
const list =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return fail(path, 'a list', value);
    value.forEach((item, i) => {
      check(item, `${path}[${i}]`);
    });
  };
const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fail(path, 'an object', value);
    for (const [name, check] of Object.entries(fields)) {
      check((value as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`);
    }
  };

const checkConfig = record({
  name: text,
  task: oneOf('recognition'),
  labels: list(text),
  frontEnd: record({
    sampleRate: number,
    fftSize: number,
    windowSamples: number,
    hopSamples: number,
    mels: number,
    minHertz: number,
    maxHertz: number,
    spectrum: oneOf('power', 'magnitude'),
    compression: oneOf('decibel', 'log1p', 'none'),
    topDecibels: nullOr(number),
  }),
  network: record({
    type: oneOf('speechbrain-conformer-ctc'),
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
  splitLayer: whole(0, 256),
  quantizer: record({
    codebooks: whole(1, MOST_CODEBOOKS),
    codewords: whole(1, MOST_CODEWORDS),
    pooling: whole(1, 64),
    defaultCodebooks: whole(1, MOST_CODEBOOKS),
  }),
  licence: text,
  trainingData: list(text),
});

/** Reads a configuration from the JSON of a model file; throws ModelError that names what is wrong. */
export function parseConfig(json: string): CodecConfig {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new ModelError(`codec model: the configuration is no JSON: ${(cause as Error).message}`);
  }
  checkConfig(value, '');
  const config = value as CodecConfig;
  const { frontEnd, network, labels, splitLayer, quantizer } = config;
  try {
    checkFrontEnd(frontEnd);
  } catch (error) {
    if (error instanceof AcomError) throw new ModelError(`codec model: ${error.message}`);
    throw error;
  }
  checkConformerCtc(network);
  const { classes, encoder } = network;
  if (labels.length !== classes) fail('labels', `${classes} labels, one for each class`, labels.length);
  if (splitLayer > encoder.layers) fail('splitLayer', `at most ${encoder.layers} layers`, splitLayer);
  if (network.frontEnd.mels !== frontEnd.mels)
    fail('network.frontEnd.mels', `${frontEnd.mels}`, network.frontEnd.mels);
  if (quantizer.defaultCodebooks > quantizer.codebooks) {
    fail('quantizer.defaultCodebooks', `at most ${quantizer.codebooks}`, quantizer.defaultCodebooks);
  }
  return config;
}
