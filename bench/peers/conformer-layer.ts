/**
 * A conformer layer with random weights: for this project under SpeechBrain's names, and for the peers as the same
 * layer with absolute attention in place of relative attention, which no peer has.
 */
import type { EncoderConfig, StateDict } from '../../src/nn/index.js';
import { createRandom, type NdArray, type TypedArray, view } from '../../src/tensor/index.js';
import { transposed } from './cases/case.js';
import type { LayerOps } from './layer-ops.js';

/** A state dict of one layer. Weights are small enough that the layer does not saturate. */
export function randomLayer(config: EncoderConfig, seed: number): Map<string, NdArray<TypedArray>> {
  const { width, heads, feedForward, depthwiseTaps } = config;
  const random = createRandom(seed);
  const state = new Map<string, NdArray<TypedArray>>();
  const add = (name: string, shape: readonly number[], middle: number, range: number) => {
    const length = shape.reduce((product, n) => product * n, 1);
    const data = Float32Array.from({ length }, () => middle + range * (2 * random() - 1));
    state.set(name, view(data, shape));
  };
  const linear = (name: string, out: number, inputs: number, ...more: readonly number[]) => {
    add(`${name}.weight`, [out, inputs, ...more], 0, 1 / Math.sqrt(inputs * (more[0] ?? 1)));
    add(`${name}.bias`, [out], 0, 0.1);
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [width], 1, 0.2);
    add(`${name}.bias`, [width], 0, 0.2);
  };
  for (const module of ['ffn_module1', 'ffn_module2']) {
    norm(`${module}.0`);
    linear(`${module}.1.ffn.0`, feedForward, width);
    linear(`${module}.1.ffn.3`, width, feedForward);
  }
  norm('norm1.norm');
  norm('norm2.norm');
  add('mha_layer.in_proj_weight', [3 * width, width], 0, 1.5 / Math.sqrt(width));
  add('mha_layer.linear_pos.weight', [width, width], 0, 1 / Math.sqrt(width));
  for (const bias of ['u', 'v']) add(`mha_layer.pos_bias_${bias}`, [width / heads, heads], 0, 0.1);
  linear('mha_layer.out_proj', width, width);
  norm('convolution_module.layer_norm');
  linear('convolution_module.bottleneck.0', 2 * width, width, 1);
  linear('convolution_module.conv', width, 1, depthwiseTaps);
  norm('convolution_module.after_conv.0');
  linear('convolution_module.after_conv.2', width, width);
  return state;
}

/** The layer with position weights and biases of zero: its attention is absolute attention, to the last bit. */
export function withoutPositions(state: StateDict): StateDict {
  const changed = new Map(state);
  for (const [name, { data, shape }] of state) {
    if (/\.(linear_pos\.weight|pos_bias_[uv])$/.test(name)) {
      changed.set(name, view(new Float32Array(data.length), shape));
    }
  }
  return changed;
}

/** The layer for a peer: x [T, width] to the same, with what can be done beforehand done. */
export function plainLayer<V>(
  ops: LayerOps<V>,
  state: StateDict,
  { width, heads, feedForward, depthwiseTaps }: EncoderConfig,
): (x: V, frames: number) => V {
  const data = (name: string) => state.get(name)!.data as Float32Array;
  /** A linear map [in, out] with its results scaled. */
  const linear = (weight: Float32Array, bias: Float32Array, out: number, inputs: number, scale = 1) => {
    const w = ops.weights(
      transposed(weight, out, inputs).map((x) => scale * x),
      [inputs, out],
    );
    const b = ops.weights(
      bias.map((x) => scale * x),
      [out],
    );
    return (x: V) => ops.linear(x, w, b);
  };
  const named = (name: string, out: number, inputs: number, scale = 1) =>
    linear(data(`${name}.weight`), data(`${name}.bias`), out, inputs, scale);
  const norm = (name: string) => {
    const [w, b] = ['weight', 'bias'].map((part) => ops.weights(data(`${name}.${part}`), [width])) as [V, V];
    return (x: V) => ops.layerNorm(x, w, b);
  };
  /** Half the module's output, which is what the layer adds. */
  const feedForwardOf = (module: string) => {
    const before = norm(`${module}.0`);
    const inner = named(`${module}.1.ffn.0`, feedForward, width);
    const outer = named(`${module}.1.ffn.3`, width, feedForward, 0.5);
    return (x: V) => {
      const hidden = inner(before(x));
      return outer(ops.swish(hidden));
    };
  };
  /** Rows of the packed projection that make the queries (0), keys (1) or values (2) of all heads. */
  const projection = (which: number, scale: number) => {
    const size = width / heads;
    const packed = data('mha_layer.in_proj_weight');
    const rows = new Float32Array(width * width);
    for (let h = 0; h < heads; h++) {
      const from = (3 * h + which) * size * width;
      rows.set(packed.subarray(from, from + size * width), h * size * width);
    }
    return linear(rows, new Float32Array(width), width, width, scale);
  };

  const first = feedForwardOf('ffn_module1');
  const attentionNorm = norm('norm1.norm');
  const [q, k, v] = [projection(0, 1 / Math.sqrt(width)), projection(1, 1), projection(2, 1)];
  const out = named('mha_layer.out_proj', width, width);
  const convolution = 'convolution_module';
  const convolutionNorm = norm(`${convolution}.layer_norm`);
  const pointwise = named(`${convolution}.bottleneck.0`, 2 * width, width);
  const depthwise = ops.depthwise(
    width,
    depthwiseTaps,
    data(`${convolution}.conv.weight`),
    data(`${convolution}.conv.bias`),
  );
  const afterNorm = norm(`${convolution}.after_conv.0`);
  const last = named(`${convolution}.after_conv.2`, width, width);
  const second = feedForwardOf('ffn_module2');
  const finalNorm = norm('norm2.norm');

  const { add, again } = ops;
  return (x, frames) => {
    const a = add(again(x), first(x));
    const normed = attentionNorm(again(a));
    const mixed = ops.attention(q(again(normed)), k(again(normed)), v(normed), frames, heads, width / heads);
    const b = add(a, out(mixed));
    const filtered = depthwise(ops.glu(pointwise(convolutionNorm(again(b)))), frames);
    const c = add(b, last(ops.swish(afterNorm(filtered))));
    return finalNorm(add(again(c), second(c)));
  };
}
