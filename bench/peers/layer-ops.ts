/**
 * The operations of a conformer layer in the words of each peer, so that the layer itself is written once. Frames
 * are [T, features]; weights of linear maps are [in, out].
 */
import { transposed } from './cases/case.js';
import type { OnnxGraph, Value } from './onnx.js';
import type { Jax, JaxArray, Tf, TfTensor } from './packages.js';

export const EPSILON = 1e-5;

export interface LayerOps<V> {
  weights(data: Float32Array, shape: readonly number[]): V;
  /** The same value, to be used once more: jax-js consumes what it uses. */
  again(x: V): V;
  add(x: V, y: V): V;
  /** x W + b */
  linear(x: V, weight: V, bias: V): V;
  layerNorm(x: V, weight: V, bias: V): V;
  /** x / (1 + exp(-x)) */
  swish(x: V): V;
  /** a / (1 + exp(-b)) of [T, 2n] = [a | b] */
  glu(x: V): V;
  /** Filters [channels, taps] along time, made for many x [T, channels]. */
  depthwise(
    channels: number,
    taps: number,
    filters: Float32Array,
    bias: Float32Array,
  ): (x: V, frames: number) => V;
  /** softmax(q kᵀ) v for each head of q, k, v [T, heads · size]; the scale is in q. */
  attention(q: V, k: V, v: V, frames: number, heads: number, size: number): V;
}

export function onnxOps(graph: OnnxGraph): LayerOps<Value> {
  const node: OnnxGraph['node'] = graph.node.bind(graph);
  const heads = (x: Value, shape: readonly number[], order: readonly number[]) =>
    node('Transpose', [node('Reshape', [x, graph.integers(...shape)])], { perm: { ints: order } });
  return {
    weights: (data, shape) => graph.constant(data, shape),
    again: (x) => x,
    add: (x, y) => node('Add', [x, y]),
    linear: (x, weight, bias) => node('Add', [node('MatMul', [x, weight]), bias]),
    layerNorm: (x, weight, bias) =>
      node('LayerNormalization', [x, weight, bias], { axis: { int: -1 }, epsilon: { float: EPSILON } }),
    swish: (x) => node('Mul', [x, node('Sigmoid', [x])]),
    glu(x) {
      const [a, b] = graph.nodeOf(2, 'Split', [x], { axis: { int: 1 } });
      return node('Mul', [a!, node('Sigmoid', [b!])]);
    },
    depthwise(channels, taps, filters, bias) {
      const half = (taps - 1) / 2;
      const flip = { perm: { ints: [1, 0] } };
      const constants = [graph.constant(filters, [channels, 1, taps]), graph.constant(bias, [channels])];
      return (x, frames) => {
        const signal = node('Reshape', [node('Transpose', [x], flip), graph.integers(1, channels, frames)]);
        const padding = { group: { int: channels }, pads: { ints: [half, half] } };
        const y = node('Conv', [signal, ...constants], padding);
        return node('Transpose', [node('Reshape', [y, graph.integers(channels, frames)])], flip);
      };
    },
    attention(q, k, v, frames, count, size) {
      const split = [frames, count, size];
      const scores = node('MatMul', [heads(q, split, [1, 0, 2]), heads(k, split, [1, 2, 0])]);
      const mixed = node('MatMul', [
        node('Softmax', [scores], { axis: { int: -1 } }),
        heads(v, split, [1, 0, 2]),
      ]);
      const together = node('Transpose', [mixed], { perm: { ints: [1, 0, 2] } });
      return node('Reshape', [together, graph.integers(frames, count * size)]);
    },
  };
}

export function tfOps(
  tf: Tf,
  keep: (data: Float32Array, shape: readonly number[]) => TfTensor,
): LayerOps<TfTensor> {
  const epsilon = keep(Float32Array.of(EPSILON), []);
  const heads = (x: TfTensor, shape: readonly number[], order: readonly number[]) =>
    tf.transpose(tf.reshape(x, shape), order);
  return {
    weights: keep,
    again: (x) => x,
    add: (x, y) => tf.add(x, y),
    linear: (a, b, bias) => tf.fused.matMul({ a, b, bias }),
    layerNorm(x, weight, bias) {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), weight), bias);
    },
    swish: (x) => tf.mul(x, tf.sigmoid(x)),
    glu(x) {
      const [a, b] = tf.split(x, 2, 1);
      return tf.mul(a!, tf.sigmoid(b!));
    },
    depthwise(channels, taps, filters, bias) {
      const filter = keep(transposed(filters, channels, taps), [1, taps, channels, 1]);
      const offset = keep(bias, [channels]);
      return (x, frames) => {
        const image = tf.reshape(x, [1, 1, frames, channels]);
        const y = tf.fused.depthwiseConv2d({ x: image, filter, strides: 1, pad: 'same', bias: offset });
        return tf.reshape(y, [frames, channels]);
      };
    },
    attention(q, k, v, frames, count, size) {
      const split = [frames, count, size];
      const scores = tf.matMul(heads(q, split, [1, 0, 2]), heads(k, split, [1, 2, 0]));
      const mixed = tf.matMul(tf.softmax(scores), heads(v, split, [1, 0, 2]));
      return tf.reshape(tf.transpose(mixed, [1, 0, 2]), [frames, count * size]);
    },
  };
}

/** Weights are used up by the one call that the compiler traces. */
export function jaxOps({ numpy, nn, lax }: Jax): LayerOps<JaxArray> {
  const heads = (x: JaxArray, shape: readonly number[], order: readonly number[]) =>
    x.reshape(shape).transpose(order);
  return {
    weights: (data, shape) => numpy.array(data, { shape }),
    again: (x) => x.ref,
    add: (x, y) => x.add(y),
    linear: (x, weight, bias) => numpy.matmul(x, weight).add(bias),
    layerNorm: (x, weight, bias) => nn.standardize(x, -1, { epsilon: EPSILON }).mul(weight).add(bias),
    swish: (x) => nn.silu(x),
    glu: (x) => nn.glu(x, -1),
    depthwise(channels, taps, filters, bias) {
      const half = (taps - 1) / 2;
      const filter = numpy.array(filters, { shape: [channels, 1, taps] });
      const offset = numpy.array(bias, { shape: [channels] });
      return (x, frames) => {
        const signal = x.transpose([1, 0]).reshape([1, channels, frames]);
        const y = lax.convGeneralDilated(signal, filter, [1], [[half, half]], {
          featureGroupCount: channels,
        });
        return y.reshape([channels, frames]).transpose([1, 0]).add(offset);
      };
    },
    attention(q, k, v, frames, count, size) {
      const split = [frames, count, size];
      const scores = numpy.matmul(heads(q, split, [1, 0, 2]), heads(k, split, [1, 2, 0]));
      const mixed = numpy.matmul(nn.softmax(scores, -1), heads(v, split, [1, 0, 2]));
      return mixed.transpose([1, 0, 2]).reshape([frames, count * size]);
    },
  };
}
