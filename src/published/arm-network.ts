/**
 * ARM's keyword spotting networks ("Hello Edge", ML-KWS-for-MCU): what their TensorFlow graph says becomes a
 * configuration, and its tensors get the names and layouts that networks here have (nn/keyword-cnn-config.ts).
 *
 * The graph is followed from one operation to the next: each must take what the last one gave, so a graph that
 * branches, or has an operation that is not known, is refused rather than read wrongly.
 */
import { checkMfcc, type MfccConfig } from '../audio/index.js';
import {
  checkKeywordCnn,
  type KeywordCnnConfig,
  type KeywordLayerConfig,
  type KeywordMap,
  keywordMapAfter,
} from '../nn/index.js';
import { contiguous, type Tensor, zeros } from '../tensor/index.js';
import { GraphReader, type Pool, type Product } from './arm-graph.js';
import { armFailure, countOf, type GraphOperation, numberOf, parseArmFile } from './arm-tensors.js';

/** What `readArmKeywordNetwork` gives. */
export interface ArmKeywordNetwork {
  readonly config: KeywordCnnConfig;
  readonly frontEnd: MfccConfig;
  /** Names of the classes. */
  readonly labels: readonly string[];
  readonly licence: string;
  readonly source: string;
  readonly tensors: Map<string, Tensor>;
}

/** The graph takes the rate from the file it is given; Speech Commands, on which they were trained, has this one. */
const SAMPLE_RATE = 16_000;

const onlyOne = (graph: readonly GraphOperation[], op: string): GraphOperation => {
  const found = graph.filter((each) => each.op === op);
  if (found.length === 1) return found[0]!;
  throw armFailure(`the graph has ${found.length} operations ${op}, expected one`);
};

/** The front end of a graph, and the frames that it makes of one utterance. */
function frontEndOf(graph: readonly GraphOperation[]): { frontEnd: MfccConfig; frames: number } {
  const spectrogram = onlyOne(graph, 'AudioSpectrogram');
  const mfcc = onlyOne(graph, 'Mfcc');
  const samples = countOf(onlyOne(graph, 'DecodeWav'), 'desired_samples');
  const windowSamples = countOf(spectrogram, 'window_size');
  const hopSamples = countOf(spectrogram, 'stride');
  if (spectrogram.attributes['magnitude_squared'] !== true) {
    throw armFailure(`AudioSpectrogram "${spectrogram.name}": only squared magnitudes are known`);
  }
  if (mfcc.inputs[0] !== spectrogram.name)
    throw armFailure(`Mfcc "${mfcc.name}" does not take the spectrogram`);
  const frontEnd: MfccConfig = {
    type: 'mfcc',
    sampleRate: SAMPLE_RATE,
    fftSize: 2 ** Math.ceil(Math.log2(windowSamples)),
    windowSamples,
    hopSamples,
    mels: countOf(mfcc, 'filterbank_channel_count'),
    minHertz: numberOf(mfcc, 'lower_frequency_limit'),
    maxHertz: numberOf(mfcc, 'upper_frequency_limit'),
    coefficients: countOf(mfcc, 'dct_coefficient_count'),
  };
  checkMfcc(frontEnd);
  if (samples < windowSamples)
    throw armFailure(`${samples} samples are fewer than a window of ${windowSamples}`);
  return { frontEnd, frames: 1 + Math.floor((samples - windowSamples) / hopSamples) };
}

/** A product's weight as PyTorch stores it. */
function pytorchLayout({ kind, weight }: Product): Tensor {
  if (kind === 'linear') return contiguous(weight.transpose(1, 0));
  // [time, frequency, in, out] or, of a depthwise one, [time, frequency, channel, 1]
  return contiguous(kind === 'depthwise' ? weight.transpose(2, 3, 0, 1) : weight.transpose(3, 2, 0, 1));
}

function addTensors(tensors: Map<string, Tensor>, prefix: string, product: Product): void {
  tensors.set(`${prefix}.weight`, pytorchLayout(product));
  tensors.set(`${prefix}.bias`, product.bias ?? zeros([product.outputs]));
  const { norm } = product;
  if (norm === null) return;
  tensors.set(`${prefix}.norm.weight`, norm.weight);
  tensors.set(`${prefix}.norm.bias`, norm.bias);
  tensors.set(`${prefix}.norm.running_mean`, norm.mean);
  tensors.set(`${prefix}.norm.running_var`, norm.variance);
}

const describe = ({ name, kind }: Product): string => `the ${kind} product "${name}"`;

/** Throws where a step is not made for `map`. */
function requireFit(step: Product | Pool, map: KeywordMap): void {
  const shape = `${map.steps} x ${map.bands} x ${map.channels}`;
  if (step.kind === 'average-pool') {
    if (step.window[0] === map.steps && step.window[1] === map.bands) return;
    throw armFailure(
      `AvgPool "${step.name}" is over ${step.window.join(' x ')} of ${shape}, expected all of it`,
    );
  }
  const inputs = step.kind === 'linear' ? map.steps * map.bands * map.channels : map.channels;
  if (step.inputs !== inputs) {
    throw armFailure(`${describe(step)} takes ${step.inputs} inputs, the map before it is ${shape}`);
  }
}

/** A pointwise convolution follows each depthwise one, and both are normalised. */
function separableOf(depthwise: Product, pointwise: Product | Pool | undefined): KeywordLayerConfig {
  const plain = (product: Product) => product.norm !== null && product.relu;
  const single = (pair: readonly [number, number]) => pair[0] === 1 && pair[1] === 1;
  if (
    !plain(depthwise) ||
    pointwise?.kind !== 'convolution' ||
    !plain(pointwise) ||
    !single(pointwise.kernel) ||
    !single(pointwise.stride)
  ) {
    throw armFailure(
      `${describe(depthwise)} is not followed by batch norm, ReLU and a pointwise convolution with the same`,
    );
  }
  const { kernel, stride, padding } = depthwise;
  return { kind: 'separable', channels: pointwise.outputs, kernel, stride, padding };
}

function layerOf(step: Product | Pool): KeywordLayerConfig {
  if (step.kind === 'average-pool') return { kind: 'average-pool' };
  const after = { norm: step.norm !== null, activation: step.relu ? 'relu' : 'none' } as const;
  if (step.kind === 'linear') return { kind: 'linear', features: step.outputs, ...after };
  const { outputs: channels, kernel, stride, padding } = step;
  return { kind: 'convolution', channels, kernel, stride, padding, ...after };
}

/**
 * Reads a network from its description, a JSON text with tensors and graph, and the file of its floats. Throws
 * FormatError where either is damaged or the graph is one that cannot be run here, ModelError and UsageError where sizes
 * make no sense.
 */
export function readArmKeywordNetwork(json: string, bin: Uint8Array): ArmKeywordNetwork {
  const { graph, tensors: stored, labels, licence, source } = parseArmFile(json, bin);
  const { frontEnd, frames } = frontEndOf(graph);
  const steps = new GraphReader(stored).read(graph);
  const head = steps.pop();
  if (head?.kind !== 'linear' || head.norm !== null || head.relu) {
    throw armFailure('the graph does not end with a linear layer and Softmax');
  }
  const layers: KeywordLayerConfig[] = [];
  const tensors = new Map<string, Tensor>();
  let map: KeywordMap = { steps: frames, bands: frontEnd.coefficients, channels: 1 };
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    requireFit(step, map);
    const prefix = `layers.${layers.length}`;
    const layer = step.kind === 'depthwise' ? separableOf(step, steps[i + 1]) : layerOf(step);
    if (step.kind === 'depthwise') {
      const pointwise = steps[++i] as Product;
      requireFit(pointwise, { ...map, channels: step.outputs });
      addTensors(tensors, `${prefix}.depthwise`, step);
      addTensors(tensors, `${prefix}.pointwise`, pointwise);
    } else if (step.kind !== 'average-pool') addTensors(tensors, prefix, step);
    map = keywordMapAfter(layer, map);
    layers.push(layer);
  }
  requireFit(head, map);
  addTensors(tensors, 'head', head);
  const config: KeywordCnnConfig = {
    type: 'keyword-cnn',
    frames,
    features: frontEnd.coefficients,
    layers,
    classes: head.outputs,
  };
  checkKeywordCnn(config);
  if (labels.length !== config.classes) {
    throw armFailure(`there are ${labels.length} labels for ${config.classes} classes`);
  }
  return { config, frontEnd, labels, licence, source, tensors };
}
