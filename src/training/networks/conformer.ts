/** SpeechBrain's conformer with a CTC head in training: ../../nn/conformer-ctc.ts, by the same names. */
import { conv2d, leakyRelu, reshape, transpose, type Variable } from '../../autograd/index.js';
import { blockLength } from '../../nn/front-end-length.js';
import {
  type ConformerCtcConfig,
  type ConvolutionFrontEndConfig,
  checkConformerCtc,
  flattenedFeatures,
} from '../../nn/index.js';
import { ModelError } from '../../tensor/index.js';
import {
  type Drop,
  encode,
  encoderMap,
  encoderParameters,
  mapped,
  type NamedParameter,
  normed,
  normParameters,
} from './conformer-layers.js';
import { dropoutOf } from './dropout.js';
import { fanInUniform } from './initialise.js';
import type { PackedSteps, ParameterSpec, Pass, TrainableNetwork } from './network.js';

export interface TrainableConformerOptions {
  /** Part of the numbers that dropout drops, 0 to less than 1. */
  readonly dropout: number;
}

const LEAKY_SLOPE = 0.01;
const INPUT = '1.custom_src_module.layers.0.w';
const ENCODER = '1.encoder';

/** Weight and bias as PyTorch draws them by itself. */
function plainParameters(name: string, shape: readonly number[]): NamedParameter[] {
  const initialise = fanInUniform(shape.slice(1).reduce((product, n) => product * n, 1));
  const bias: ParameterSpec = { shape: [shape[0]!], initialise, decay: false };
  return [
    [`${name}.weight`, { shape, initialise, decay: true }],
    [`${name}.bias`, bias],
  ];
}

/** One block of the front end: its names, and what goes in and out. */
interface Block {
  readonly convolution: string;
  readonly norm: string;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly outMels: number;
}

function blocksOf({ channels, kernelSizes, strides, mels }: ConvolutionFrontEndConfig): Block[] {
  let outMels = mels;
  return channels.map((outChannels, b) => {
    const [kernel, stride] = [kernelSizes[b]!, strides[b]!];
    outMels = blockLength(outMels, kernel, stride);
    return {
      convolution: `0.convblock_${b}.convs.conv_0.conv`,
      norm: `0.convblock_${b}.convs.norm_0.norm`,
      inChannels: channels[b - 1] ?? 1,
      outChannels,
      kernel,
      stride,
      outMels,
    };
  });
}

/** Convolution, layer norm over frequency and channel together, leaky ReLU: x [Σ time, F, C] to [Σ time', F', C']. */
function convolve(pass: Pass, block: Block, { x, lengths }: PackedSteps, drop: Drop): PackedSteps {
  const { convolution, norm, kernel, stride } = block;
  const pad = Math.floor(kernel / 2);
  // Stored [out, in, frequency, time]
  const weight = transpose(pass.parameter(`${convolution}.weight`), [0, 3, 2, 1]);
  const convolved = conv2d(
    x,
    weight,
    pass.parameter(`${convolution}.bias`),
    { stride: [stride, stride], padding: [pad, pad], padMode: 'reflect' },
    lengths,
  );
  const y: Variable = drop(leakyRelu(normed(pass, norm, convolved.y), LEAKY_SLOPE));
  return { x: y, lengths: convolved.lengths };
}

/** The network of `config` to be trained, cut after `splitLayer`. */
export function trainableConformer(
  config: ConformerCtcConfig,
  splitLayer: number,
  { dropout }: TrainableConformerOptions,
): TrainableNetwork {
  checkConformerCtc(config);
  const { encoder, frontEnd, classes, head } = config;
  if (!(Number.isInteger(splitLayer) && splitLayer >= 0 && splitLayer <= encoder.layers)) {
    throw new ModelError(
      `conformer: cut after layer ${splitLayer}, expected a whole number from 0 to ${encoder.layers}`,
    );
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw new ModelError(`conformer: dropout is ${dropout}, expected 0 to less than 1`);
  }
  const blocks = blocksOf(frontEnd);
  const prefix = { from: 0, to: splitLayer, finalNorm: false };
  const suffix = { from: splitLayer, to: encoder.layers, finalNorm: true };
  return {
    parameters: new Map([
      ...blocks.flatMap(({ convolution, norm, inChannels, outChannels, kernel, outMels }) => [
        ...plainParameters(convolution, [outChannels, inChannels, kernel, kernel]),
        ...normParameters(norm, [outMels, outChannels]),
      ]),
      ...encoderMap(INPUT, encoder.width, flattenedFeatures(config)),
      ...encoderParameters(ENCODER, encoder, prefix),
      ...encoderParameters(ENCODER, encoder, suffix),
      ...plainParameters(`${head}.w`, [classes, encoder.width]),
    ]),
    buffers: new Map(),
    prefix(pass, { x, lengths }) {
      const drop = dropoutOf(pass, dropout);
      const image = blocks.reduce((steps, block) => convolve(pass, block, steps, drop), {
        x: reshape(x, [...x.shape, 1]),
        lengths,
      });
      // index = frequency · channels + channel
      const flattened = reshape(image.x, [image.x.shape[0]!, flattenedFeatures(config)]);
      const steps = { x: drop(mapped(pass, INPUT, flattened)), lengths: image.lengths };
      return encode(pass, ENCODER, encoder, prefix, steps, drop);
    },
    suffix(pass, steps) {
      const { x, lengths } = encode(pass, ENCODER, encoder, suffix, steps, dropoutOf(pass, dropout));
      return { x: mapped(pass, `${head}.w`, x), lengths };
    },
  };
}
