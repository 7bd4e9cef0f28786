/** Names and shapes of SpeechBrain's state dicts by their sizes; test/published compares them with published ones. */
import type { Shapes } from './published.js';

export interface ConformerSizes {
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly feedForward: number;
  readonly kernel: number;
  readonly mels: number;
  readonly channels: readonly number[];
  readonly classes: number;
  /** Layers of the attention decoder; without any the CTC head is `2.`, else `3.`. */
  readonly decoderLayers: number;
  readonly positions: 'relative' | 'rotary';
}

export const PUBLISHED_CONFORMERS: Readonly<Record<'small' | 'large' | 'rotary' | 'ctc', ConformerSizes>> =
  (() => {
    const common = { kernel: 31, mels: 80, channels: [64, 32], classes: 5000, layers: 12 };
    const large = { ...common, width: 512, heads: 8, feedForward: 2048, decoderLayers: 6 };
    return {
      small: { ...common, width: 144, heads: 4, feedForward: 1024, decoderLayers: 4, positions: 'relative' },
      large: { ...large, positions: 'relative' },
      rotary: { ...large, positions: 'rotary' },
      ctc: {
        ...common,
        ...{ width: 256, heads: 4, feedForward: 1024, decoderLayers: 0, layers: 18, classes: 31 },
        positions: 'relative',
      },
    };
  })();

/** Small enough to be run everywhere. */
export const TINY_CONFORMER: ConformerSizes = {
  width: 16,
  heads: 2,
  layers: 2,
  feedForward: 24,
  kernel: 7,
  mels: 20,
  channels: [6, 4],
  classes: 9,
  decoderLayers: 1,
  positions: 'relative',
};

const POSITIONS = 2500;

/** `NAME.weight` and `NAME.bias`. */
const pair = (name: string, weight: readonly number[], bias: readonly number[] = [weight[0]!]): Shapes => ({
  [`${name}.weight`]: weight,
  [`${name}.bias`]: bias,
});

function encoderLayer(
  at: string,
  { width: d, heads, feedForward, kernel, positions }: ConformerSizes,
): Shapes {
  const norm = (name: string) => pair(`${at}.${name}`, [d]);
  const module = (name: string) => ({
    ...norm(`${name}.0`),
    ...pair(`${at}.${name}.1.ffn.0`, [feedForward, d]),
    ...pair(`${at}.${name}.1.ffn.3`, [d, feedForward]),
  });
  const relative = {
    [`${at}.mha_layer.pos_bias_u`]: [d / heads, heads],
    [`${at}.mha_layer.pos_bias_v`]: [d / heads, heads],
    [`${at}.mha_layer.linear_pos.weight`]: [d, d],
  };
  return {
    [`${at}.mha_layer.in_proj_weight`]: [3 * d, d],
    ...(positions === 'relative' ? relative : {}),
    ...pair(`${at}.mha_layer.out_proj`, [d, d]),
    ...norm('convolution_module.layer_norm'),
    ...pair(`${at}.convolution_module.bottleneck.0`, [2 * d, d, 1]),
    ...pair(`${at}.convolution_module.conv`, [d, 1, kernel]),
    ...norm('convolution_module.after_conv.0'),
    ...pair(`${at}.convolution_module.after_conv.2`, [d, d]),
    ...module('ffn_module1'),
    ...module('ffn_module2'),
    ...norm('norm1.norm'),
    ...norm('norm2.norm'),
  };
}

function decoderLayer(at: string, { width: d, feedForward }: ConformerSizes, crossAttention: string): Shapes {
  const attention = (name: string) => ({
    [`${at}.${name}.att.in_proj_weight`]: [3 * d, d],
    [`${at}.${name}.att.in_proj_bias`]: [3 * d],
    ...pair(`${at}.${name}.att.out_proj`, [d, d]),
  });
  return {
    ...attention('self_attn'),
    ...attention(crossAttention),
    ...pair(`${at}.pos_ffn.ffn.0`, [feedForward, d]),
    ...pair(`${at}.pos_ffn.ffn.3`, [d, feedForward]),
    ...pair(`${at}.norm1.norm`, [d]),
    ...pair(`${at}.norm2.norm`, [d]),
    ...pair(`${at}.norm3.norm`, [d]),
  };
}

/** The state dict of asr.ckpt; `crossAttention` is spelled otherwise in files from before 1.0. */
export function conformerShapes(
  sizes: ConformerSizes,
  crossAttention: 'multihead_attn' | 'mutihead_attn' = 'multihead_attn',
): Shapes {
  const { width: d, layers, decoderLayers, mels, channels, classes, positions } = sizes;
  const all: Shapes[] = channels.map((out, block) => {
    const at = `0.convblock_${block}.convs`;
    const rows = mels / 2 ** (block + 1);
    return {
      ...pair(`${at}.conv_0.conv`, [out, channels[block - 1] ?? 1, 3, 3]),
      ...pair(`${at}.norm_0.norm`, [rows, out], [rows, out]),
    };
  });
  all.push(
    positions === 'rotary'
      ? { '1.positional_encoding.pe': [1, POSITIONS, d] }
      : { '1.positional_encoding.inv_freq': [d / 2] },
    { '1.positional_encoding_decoder.pe': [1, POSITIONS, d] },
  );
  for (let layer = 0; layer < layers; layer++) all.push(encoderLayer(`1.encoder.layers.${layer}`, sizes));
  all.push(pair('1.encoder.norm.norm', [d]));
  for (let layer = 0; layer < decoderLayers; layer++) {
    all.push(decoderLayer(`1.decoder.layers.${layer}`, sizes, crossAttention));
  }
  const flattened = (mels / 2 ** channels.length) * channels[channels.length - 1]!;
  all.push(pair('1.custom_src_module.layers.0.w', [d, flattened]), pair('2.w', [classes, d]));
  if (decoderLayers > 0) {
    all.push(
      pair('1.decoder.norm.norm', [d]),
      { '1.custom_tgt_module.layers.0.emb.Embedding.weight': [classes, d] },
      pair('3.w', [classes, d]),
    );
  }
  return Object.assign({}, ...all) as Shapes;
}

const batchNorm = (at: string, channels: number): Shapes => ({
  ...pair(at, [channels]),
  [`${at}.running_mean`]: [channels],
  [`${at}.running_var`]: [channels],
  [`${at}.num_batches_tracked`]: [],
});

export const PUBLISHED_CHANNELS = [64, 128, 256, 512, 1024, 2048];
export const TINY_CHANNELS = [4, 6, 8];

/** The state dict of embedding_model.ckpt. */
export function cnn14Shapes(channels: readonly number[], mels = 80): Shapes {
  const blocks = channels.map((out, b) => {
    const at = `conv_block${b + 1}`;
    return {
      [`${at}.conv1.weight`]: [out, channels[b - 1] ?? 1, 3, 3],
      [`${at}.conv2.weight`]: [out, out, 3, 3],
      ...batchNorm(`${at}.norm1`, out),
      ...batchNorm(`${at}.norm2`, out),
    };
  });
  return Object.assign(batchNorm('norm0', mels), ...blocks) as Shapes;
}

/** The state dict of classifier.ckpt, with the cosine head of the published model or the linear one of today's recipe. */
export function cnn14HeadShapes(
  head: 'cosine' | 'linear',
  features: number,
  classes = 50,
  width = 192,
): Shapes {
  if (head === 'linear') return { weight: [classes, features], bias: [classes] };
  return {
    weight: [classes, width],
    ...batchNorm('blocks.0.norm', features),
    ...pair('blocks.1.w', [width, features]),
  };
}
