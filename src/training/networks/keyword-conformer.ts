/** A keyword conformer in training: ../../nn/keyword-conformer-config.ts, by the same names. */
import { conv2d, depthwiseConv2d, meanOverTime, relu, reshape } from '../../autograd/index.js';
import { type KeywordConformerConfig, keywordConformerKind } from '../../nn/index.js';
import { bandsAfter, columnFeatures, KEYWORD_KERNEL } from '../../nn/keyword-conformer-config.js';
import { ModelError } from '../../tensor/index.js';
import {
  encode,
  encoderMap,
  encoderParameters,
  mapped,
  type NamedParameter,
  normed,
  normParameters,
} from './conformer-layers.js';
import { dropoutOf } from './dropout.js';
import { all, glorotUniform } from './initialise.js';
import type { PackedSteps, Pass, TrainableNetwork } from './network.js';

export interface TrainableKeywordConformerOptions {
  /** Part of the numbers that dropout drops in the conformer layers and before them; default 0.1. */
  readonly dropout?: number;
}

const STEM = 'stem';
const INPUT = 'linear';
const ENCODER = 'encoder';
const HEAD = 'head';
const blockName = (block: number): string => `blocks.${block}`;

const TAPS = KEYWORD_KERNEL * KEYWORD_KERNEL;
const FILTER = [1, KEYWORD_KERNEL, KEYWORD_KERNEL] as const;

function convolutionParameters(config: KeywordConformerConfig): NamedParameter[] {
  const { channels, strides } = config;
  const filters = (name: string, initialise = glorotUniform(TAPS, TAPS)): NamedParameter => [
    `${name}.weight`,
    { shape: [channels, ...FILTER], initialise, decay: true },
  ];
  return [
    filters(`${STEM}.conv`, glorotUniform(TAPS, TAPS * channels)),
    [`${STEM}.conv.bias`, { shape: [channels], initialise: all(0), decay: false }],
    ...normParameters(`${STEM}.norm`, [bandsAfter(config, 1), channels]),
    ...strides
      .slice(1)
      .flatMap((_, n) => [
        filters(`${blockName(n)}.depthwise`),
        ...encoderMap(`${blockName(n)}.pointwise`, channels, channels),
        ...normParameters(`${blockName(n)}.norm`, [bandsAfter(config, n + 2), channels]),
      ]),
  ];
}

/** Stem and separable blocks: x [Σ frames, mels] to [Σ steps, bands, channels]. */
function convolve(pass: Pass, config: KeywordConformerConfig, { x, lengths }: PackedSteps): PackedSteps {
  const { channels, strides } = config;
  const [stride, ...others] = strides;
  const stem = conv2d(
    reshape(x, [...x.shape, 1]),
    // Of one input channel [out, 1, time, frequency] is [out, time, frequency, 1].
    reshape(pass.parameter(`${STEM}.conv.weight`), [channels, KEYWORD_KERNEL, KEYWORD_KERNEL, 1]),
    pass.parameter(`${STEM}.conv.bias`),
    { stride: stride!, padding: [1, 1], padMode: 'zero' },
    lengths,
  );
  const image = { x: relu(normed(pass, `${STEM}.norm`, stem.y)), lengths: stem.lengths };
  return others.reduce<PackedSteps>((before, each, n) => {
    const name = blockName(n);
    const filters = pass.parameter(`${name}.depthwise.weight`);
    const filtered = depthwiseConv2d(
      before.x,
      reshape(filters, [channels, KEYWORD_KERNEL, KEYWORD_KERNEL]),
      null,
      { stride: each, padding: { rows: [1, 1], columns: [1, 1] } },
      before.lengths,
    );
    const y = mapped(pass, `${name}.pointwise`, filtered.y);
    return { x: relu(normed(pass, `${name}.norm`, y)), lengths: filtered.lengths };
  }, image);
}

/** The network of `config` to be trained, cut after `splitLayer`. Throws ModelError where there is no such network. */
export function trainableKeywordConformer(
  config: KeywordConformerConfig,
  splitLayer: number,
  { dropout = 0.1 }: TrainableKeywordConformerOptions = {},
): TrainableNetwork {
  keywordConformerKind.check(config);
  const { encoder, classes } = config;
  if (!Number.isInteger(splitLayer) || splitLayer < 0 || splitLayer > encoder.layers) {
    throw new ModelError(
      `keyword conformer: it has ${encoder.layers} layers and can't be cut after layer ${splitLayer}`,
    );
  }
  const before = { from: 0, to: splitLayer, finalNorm: false };
  const after = { from: splitLayer, to: encoder.layers, finalNorm: true };
  return {
    parameters: new Map([
      ...convolutionParameters(config),
      ...encoderMap(INPUT, encoder.width, columnFeatures(config)),
      ...encoderParameters(ENCODER, encoder, before),
      ...encoderParameters(ENCODER, encoder, after),
      ...encoderMap(HEAD, classes, encoder.width),
    ]),
    buffers: new Map(),
    prefix(pass, features) {
      const image = convolve(pass, config, features);
      const columns = reshape(image.x, [image.x.shape[0]!, columnFeatures(config)]);
      const drop = dropoutOf(pass, dropout);
      const frames = mapped(pass, INPUT, columns);
      const x = splitLayer === 0 ? frames : drop(frames);
      return encode(pass, ENCODER, encoder, before, { x, lengths: image.lengths }, drop);
    },
    suffix(pass, { x, lengths }) {
      const drop = dropoutOf(pass, dropout);
      // Where the cut is before the first layer, dropout is behind the quantiser: codewords are for what devices send.
      const entering = splitLayer === 0 ? drop(x) : x;
      const encoded = encode(pass, ENCODER, encoder, after, { x: entering, lengths }, drop);
      const mean = meanOverTime(encoded.x, encoded.lengths);
      return { x: mapped(pass, HEAD, mean), lengths: lengths.map(() => 1) };
    },
  };
}
