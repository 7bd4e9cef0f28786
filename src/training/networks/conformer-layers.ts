/**
 * Conformer encoder layers in training: the arithmetic and the names of ../../nn/conformer-encoder.ts, on recordings that
 * lie one after another. Dropout stands where SpeechBrain has it; in attention it is on the map.
 */
import {
  add,
  constant,
  depthwiseConv1d,
  gatherRows,
  glu,
  layerNorm,
  linear,
  type RelativeAttentionInputs,
  relativeAttention,
  reshape,
  scaledAdd,
  swish,
  type Variable,
} from '../../autograd/index.js';
import type { EncoderPart } from '../../nn/conformer-encoder.js';
import { type EncoderConfig, LAYER_NORM_EPSILON } from '../../nn/index.js';
import { relativePositions } from '../../nn/relative-self-attention.js';
import { keep, ModelError, sizeOf, type Tensor, view } from '../../tensor/index.js';
import { type ChunkWindows, chunkWindows } from './chunks.js';
import type { Drop } from './dropout.js';
import { all, fanInUniform, glorotNormal } from './initialise.js';
import type { PackedSteps, ParameterSpec, Pass } from './network.js';

/** Epsilon of the norm after the last layer. */
const FINAL_NORM_EPSILON = 1e-6;

export type NamedParameter = readonly [name: string, spec: ParameterSpec];

/** Weight and bias of a layer norm. */
export const normParameters = (name: string, shape: readonly number[]): NamedParameter[] => [
  [`${name}.weight`, { shape, initialise: all(1), decay: false }],
  [`${name}.bias`, { shape, initialise: all(0), decay: false }],
];

/**
 * A block of more than one axis as SpeechBrain's TransformerASR draws all of its own, filters and attention's biases
 * included: by Glorot's normal distribution.
 */
const matrix = (...shape: number[]): ParameterSpec => {
  const [outputs, inputs, taps = 1] = shape as [number, number, number?];
  return { shape, initialise: glorotNormal(inputs * taps, outputs * taps), decay: true };
};

/** Weight [outputs, inputs, ...] of a map in an encoder, and its bias, as PyTorch draws it. */
export const encoderMap = (name: string, ...shape: number[]): NamedParameter[] => {
  const initialise = fanInUniform(sizeOf(shape.slice(1)));
  return [
    [`${name}.weight`, matrix(...shape)],
    [`${name}.bias`, { shape: [shape[0]!], initialise, decay: false }],
  ];
};

function layerParameters(name: string, config: EncoderConfig): NamedParameter[] {
  const { width, heads, feedForward, depthwiseTaps } = config;
  const attention = `${name}.mha_layer`;
  const convolution = `${name}.convolution_module`;
  const biases = { ...matrix(width / heads, heads), decay: false };
  const forward = (module: string): NamedParameter[] => [
    ...normParameters(`${module}.0`, [width]),
    ...encoderMap(`${module}.1.ffn.0`, feedForward, width),
    ...encoderMap(`${module}.1.ffn.3`, width, feedForward),
  ];
  return [
    ...forward(`${name}.ffn_module1`),
    ...normParameters(`${name}.norm1.norm`, [width]),
    [`${attention}.in_proj_weight`, matrix(3 * width, width)],
    [`${attention}.linear_pos.weight`, matrix(width, width)],
    [`${attention}.pos_bias_u`, biases],
    [`${attention}.pos_bias_v`, biases],
    ...encoderMap(`${attention}.out_proj`, width, width),
    ...normParameters(`${convolution}.layer_norm`, [width]),
    ...encoderMap(`${convolution}.bottleneck.0`, 2 * width, width, 1),
    ...encoderMap(`${convolution}.conv`, width, 1, depthwiseTaps),
    ...normParameters(`${convolution}.after_conv.0`, [width]),
    ...encoderMap(`${convolution}.after_conv.2`, width, width),
    ...forward(`${name}.ffn_module2`),
    ...normParameters(`${name}.norm2.norm`, [width]),
  ];
}

/** Parameters of some layers of the encoder that is called `name`, and of the norm after the last. */
export function encoderParameters(name: string, config: EncoderConfig, part: EncoderPart): NamedParameter[] {
  if (config.positions === 'rotary') {
    throw new ModelError('conformer: rotary positions cannot be trained; use relative ones');
  }
  const layers = Array.from({ length: part.to - part.from }, (_, i) =>
    layerParameters(`${name}.layers.${part.from + i}`, config),
  );
  return [...layers.flat(), ...(part.finalNorm ? normParameters(`${name}.norm.norm`, [config.width]) : [])];
}

/** x under the norm that is called `name`. */
export const normed = (pass: Pass, name: string, x: Variable, epsilon = LAYER_NORM_EPSILON): Variable =>
  layerNorm(x, pass.parameter(`${name}.weight`), pass.parameter(`${name}.bias`), epsilon);

/** The linear map that is called `name`. */
export const mapped = (pass: Pass, name: string, x: Variable): Variable =>
  linear(x, pass.parameter(`${name}.weight`), pass.parameter(`${name}.bias`));

/** Tables of positions by width, each of the longest recording so far: a shorter one's is in its middle. */
const tables = new Map<number, Tensor>();

/** [2 frames - 1, width] */
function positionsFor(frames: number, width: number): Tensor {
  let table = tables.get(width);
  if (table === undefined || table.shape[0]! < 2 * frames - 1) {
    table = keep(relativePositions(frames, width));
    tables.set(width, table);
  }
  const longest = (table.shape[0]! + 1) / 2;
  return view(table.data, [2 * frames - 1, width], undefined, table.offset + (longest - frames) * width);
}

/** Layer norm, linear, Swish, linear; added half to x. */
function withFeedForward(pass: Pass, name: string, x: Variable, drop: Drop): Variable {
  const hidden = drop(swish(mapped(pass, `${name}.1.ffn.0`, normed(pass, `${name}.0`, x))));
  return scaledAdd(x, 0.5, drop(mapped(pass, `${name}.1.ffn.3`, hidden)));
}

/** Frames of recordings, and what attention leaves out: frames that `mask` marks with 1 [Σ lengths], parts of its map. */
type Recordings = Pick<RelativeAttentionInputs, 'lengths' | 'mask' | 'dropout'>;

/** Self-attention without the sum around it: x [Σ lengths, width], `positions` [2 longest - 1, width]. */
export function selfAttention(
  pass: Pass,
  name: string,
  heads: number,
  x: Variable,
  positions: Variable,
  recordings: Recordings,
  windows?: ChunkWindows,
): Variable {
  const queryKeyValue = linear(x, pass.parameter(`${name}.in_proj_weight`), null);
  const attended = relativeAttention({
    queryKeyValue: windows ? gatherRows(queryKeyValue, windows.rows) : queryKeyValue,
    positions: linear(positions, pass.parameter(`${name}.linear_pos.weight`), null),
    // Stored [head size, heads] but used as [heads, head size]: the same memory, no transposition.
    biasU: pass.parameter(`${name}.pos_bias_u`),
    biasV: pass.parameter(`${name}.pos_bias_v`),
    heads,
    scale: 1 / Math.sqrt(x.shape[1]!),
    ...recordings,
    ...(windows && { lengths: windows.lengths }),
  });
  const own = windows ? gatherRows(attended, windows.kept) : attended;
  return mapped(pass, `${name}.out_proj`, own);
}

/** Layer norm, linear to 2 · width, GLU, depthwise convolution, layer norm, Swish, linear: x [Σ lengths, width]. */
export function convolutionModule(
  pass: Pass,
  name: string,
  x: Variable,
  lengths: readonly number[],
  windows?: ChunkWindows,
): Variable {
  const width = x.shape[1]!;
  const pointwise = reshape(pass.parameter(`${name}.bottleneck.0.weight`), [2 * width, width]);
  const taps = pass.parameter(`${name}.conv.weight`);
  const gated = glu(
    linear(normed(pass, `${name}.layer_norm`, x), pointwise, pass.parameter(`${name}.bottleneck.0.bias`)),
  );
  const convolved = depthwiseConv1d(
    windows ? gatherRows(gated, windows.rows) : gated,
    reshape(taps, [width, taps.shape[2]!]),
    pass.parameter(`${name}.conv.bias`),
    windows?.lengths ?? lengths,
  );
  const filtered = windows ? gatherRows(convolved, windows.kept) : convolved;
  return mapped(pass, `${name}.after_conv.2`, swish(normed(pass, `${name}.after_conv.0`, filtered)));
}

/** What the windows of chunks are for attention, and for convolution. */
interface LayerWindows {
  readonly attention: ChunkWindows;
  readonly convolution: ChunkWindows;
}

function layerWindows(
  { chunks, depthwiseTaps }: EncoderConfig,
  lengths: readonly number[],
): LayerWindows | null {
  if (chunks === undefined) return null;
  return {
    attention: chunkWindows(lengths, chunks),
    convolution: chunkWindows(lengths, { frames: chunks.frames, past: (depthwiseTaps - 1) / 2 }),
  };
}

/** One layer on x [Σ lengths, width]; `positions` [2 longest - 1, width]. */
function encodeLayer(
  pass: Pass,
  name: string,
  heads: number,
  x: Variable,
  positions: Variable,
  lengths: readonly number[],
  windows: LayerWindows | null,
  drop: Drop,
): Variable {
  const a = withFeedForward(pass, `${name}.ffn_module1`, x, drop);
  const asked = normed(pass, `${name}.norm1.norm`, a);
  const recordings = { lengths, dropout: drop.inside() };
  const attended = selfAttention(
    pass,
    `${name}.mha_layer`,
    heads,
    asked,
    positions,
    recordings,
    windows?.attention,
  );
  const b = add(a, attended);
  const convolved = convolutionModule(pass, `${name}.convolution_module`, b, lengths, windows?.convolution);
  const c = add(b, drop(convolved));
  return normed(pass, `${name}.norm2.norm`, withFeedForward(pass, `${name}.ffn_module2`, c, drop));
}

/** Some layers of the encoder that is called `name`, and the norm after the last: x [Σ lengths, width] to the same. */
export function encode(
  pass: Pass,
  name: string,
  config: EncoderConfig,
  part: EncoderPart,
  { x, lengths }: PackedSteps,
  drop: Drop,
): PackedSteps {
  const windows = layerWindows(config, lengths);
  const longest = Math.max(1, ...(windows?.attention.lengths ?? lengths));
  const positions = constant(positionsFor(longest, config.width));
  let y = x;
  for (let layer = part.from; layer < part.to; layer++) {
    y = encodeLayer(pass, `${name}.layers.${layer}`, config.heads, y, positions, lengths, windows, drop);
  }
  if (part.finalNorm) y = normed(pass, `${name}.norm.norm`, y, FINAL_NORM_EPSILON);
  return { x: y, lengths };
}
