/**
 * The distance that matters to the layer which reads the quantised vectors. What that layer does with an error e is W e,
 * so |W e|² = eᵀ (Wᵀ W) e is what codewords should make small, rather than |e|². M = Wᵀ W, averaged over the places where
 * a vector stands, is made of the weights alone; no data and no gradients are needed. It is known where a linear layer or
 * a convolution reads the vectors.
 *
 * With M = C Cᵀ (Cholesky), distances of Cᵀ x are those of x under M: a quantiser that works on Cᵀ x needs no other change.
 */
import type { VectorLayout } from '../codec/index.js';
import type { NetworkConfig, StateDict } from '../nn/index.js';
import { flat, ModelError, type Tensor } from '../tensor/index.js';

/** Weights [outputs, steps, bands, channels] of the layer that reads a map; `slides` is a convolution over steps and bands. */
interface Reader {
  readonly weight: Float32Array;
  readonly outputs: number;
  readonly steps: number;
  readonly bands: number;
  readonly channels: number;
  /** Of a convolution along the bands: distance of its outputs and zeros before the first band; null where it does not slide. */
  readonly slide: { readonly stride: number; readonly before: number; readonly outBands: number } | null;
}

/** Part of the mean of M's diagonal that is added to it: what the reader ignores must not cost nothing at all. */
const RIDGE = 0.01;

function tensorOf(tensors: StateDict, name: string): Tensor {
  const found = tensors.get(name);
  if (found?.data instanceof Float32Array) return found as Tensor;
  throw new ModelError(`reader metric: the network has no tensor ${name} of float32`);
}

/** Gain of the batch norm `prefix` for each of its channels; ones where there is none. */
function gainOf(tensors: StateDict, prefix: string, channels: number, epsilon: number): Float64Array {
  if (!tensors.has(`${prefix}.weight`)) return new Float64Array(channels).fill(1);
  const [gain, variance] = ['weight', 'running_var'].map((name) =>
    flat(tensorOf(tensors, `${prefix}.${name}`)),
  );
  return Float64Array.from(gain!, (g, c) => g / Math.sqrt(variance![c]! + epsilon));
}

/** A convolution's weight [out, in, time, frequency] as [out, time, frequency, in], scaled by the norm after it. */
function channelsLast(weight: Tensor, gain: Float64Array): Float32Array {
  const [outputs, channels, steps, bands] = weight.shape as [number, number, number, number];
  const source = flat(weight);
  const out = new Float32Array(source.length);
  for (let o = 0, from = 0; o < outputs; o++) {
    for (let c = 0; c < channels; c++) {
      for (let at = 0; at < steps * bands; at++, from++) {
        out[(o * steps * bands + at) * channels + c] = source[from]! * gain[o]!;
      }
    }
  }
  return out;
}

function linearReader(weight: Tensor, gain: Float64Array, layout: VectorLayout): Reader {
  const { bands, channels } = layout.shape;
  const [outputs, inputs] = weight.shape as [number, number];
  const scaled = flat(weight).map((w, i) => w * gain[Math.floor(i / inputs)]!);
  return { weight: scaled, outputs, steps: inputs / (bands * channels), bands, channels, slide: null };
}

/** Epsilon of the batch norms of keyword networks and of CNN14. */
const KEYWORD_EPSILON = 0.001;
const CNN14_EPSILON = 1e-5;

/** What reads the map after the layer of `layout`. Throws ModelError where it is neither linear nor a convolution. */
function readerOf(network: NetworkConfig, tensors: StateDict, layout: VectorLayout): Reader {
  const { layer, shape } = layout;
  if (network.type === 'keyword-cnn') {
    const next = network.layers[layer];
    const name = next === undefined ? 'head' : `layers.${layer}`;
    if (next === undefined || next.kind === 'linear' || next.kind === 'convolution') {
      const weight = tensorOf(tensors, `${name}.weight`);
      const gain = gainOf(tensors, `${name}.norm`, weight.shape[0]!, KEYWORD_EPSILON);
      if (next?.kind !== 'convolution') return linearReader(weight, gain, layout);
      const [outputs, , steps, kernelBands] = weight.shape as [number, number, number, number];
      const stride = next.stride[1];
      const spread =
        next.padding === 'same'
          ? Math.ceil(shape.bands / stride)
          : Math.floor((shape.bands - kernelBands) / stride) + 1;
      const before =
        next.padding === 'same'
          ? Math.floor(Math.max(0, (spread - 1) * stride + kernelBands - shape.bands) / 2)
          : 0;
      return {
        weight: channelsLast(weight, gain),
        ...{ outputs, steps, bands: kernelBands, channels: shape.channels },
        slide: { stride, before, outBands: spread },
      };
    }
  }
  if (network.type === 'cnn14' && layer < network.channels.length) {
    const block = `embedding_model.conv_block${layer + 1}`;
    const weight = tensorOf(tensors, `${block}.conv1.weight`);
    const [outputs, , steps, kernelBands] = weight.shape as [number, number, number, number];
    return {
      weight: channelsLast(weight, gainOf(tensors, `${block}.norm1`, outputs, CNN14_EPSILON)),
      ...{ outputs, steps, bands: kernelBands, channels: shape.channels },
      slide: { stride: 1, before: 1, outBands: shape.bands },
    };
  }
  throw new ModelError(
    `reader metric: what reads the vectors after layer ${layer} of this network is neither a linear layer nor a ` +
      'convolution; fit with the plain metric',
  );
}

/**
 * Rows w of the reader, [width] each, as they meet one vector; the number of places that a vector stands in for them is
 * left to `readerMetric`.
 */
function* rowsOf(reader: Reader, layout: VectorLayout): Generator<Float64Array> {
  const { weight, outputs, steps, bands, channels, slide } = reader;
  const { width, perStep, pooling, shape } = layout;
  const row = new Float64Array(width);
  const at = (o: number, t: number, f: number) => ((o * steps + t) * bands + f) * channels;
  for (let o = 0; o < outputs; o++) {
    if (slide === null) {
      // A linear layer has weights of its own for each step; steps that are averaged share their vector.
      for (let from = 0; from < steps; from += pooling) {
        for (let part = 0; part < perStep; part++) {
          row.fill(0);
          for (let t = from; t < Math.min(steps, from + pooling); t++) {
            const begin = at(o, t, 0) + part * width;
            for (let i = 0; i < width; i++) row[i]! += weight[begin + i]!;
          }
          yield row;
        }
      }
      continue;
    }
    for (let t = 0; t < steps; t++) {
      if (perStep > 1) {
        for (let f = 0; f < bands; f++) {
          for (let c = 0; c < channels; c++) row[c] = weight[at(o, t, f) + c]!;
          yield row;
        }
        continue;
      }
      for (let out = 0; out < slide.outBands; out++) {
        row.fill(0);
        for (let f = 0; f < bands; f++) {
          const band = out * slide.stride - slide.before + f;
          if (band < 0 || band >= shape.bands) continue;
          for (let c = 0; c < channels; c++) row[band * channels + c] = weight[at(o, t, f) + c]!;
        }
        yield row;
      }
    }
  }
}

/** Lower triangle C of M = C Cᵀ, in place of M [n, n]; M must be positive definite. */
function cholesky(m: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = m[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= m[i * n + k]! * m[j * n + k]!;
      m[i * n + j] = i === j ? Math.sqrt(sum) : sum / m[j * n + j]!;
    }
    m.fill(0, i * n + i + 1, (i + 1) * n);
  }
}

/** Inverse of a lower triangle [n, n]. */
function inverseOf(c: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let column = 0; column < n; column++) {
    for (let i = column; i < n; i++) {
      let sum = i === column ? 1 : 0;
      for (let k = column; k < i; k++) sum -= c[i * n + k]! * out[k * n + column]!;
      out[i * n + column] = sum / c[i * n + i]!;
    }
  }
  return out;
}

const transposed = (m: Float64Array, n: number): Float32Array =>
  Float32Array.from({ length: n * n }, (_, at) => m[(at % n) * n + Math.floor(at / n)]!);

/** Maps [width, width] into the space where distances are the reader's, and back. */
export interface ReaderMaps {
  readonly encode: Float32Array;
  readonly decode: Float32Array;
}

/** Throws ModelError where the reader is neither a linear layer nor a convolution. */
export function readerMetric(network: NetworkConfig, tensors: StateDict, layout: VectorLayout): ReaderMaps {
  const { width } = layout;
  const m = new Float64Array(width * width);
  for (const row of rowsOf(readerOf(network, tensors, layout), layout)) {
    for (let i = 0; i < width; i++) {
      const w = row[i]!;
      if (w === 0) continue;
      const at = i * width;
      for (let j = 0; j <= i; j++) m[at + j]! += w * row[j]!;
    }
  }
  let trace = 0;
  for (let i = 0; i < width; i++) trace += m[i * width + i]!;
  // NaN fails this too.
  if (!(trace > 0 && trace < Infinity)) {
    throw new ModelError(
      `reader metric: the weights that read the vectors after layer ${layout.layer} are ${trace === 0 ? 'all 0' : 'no finite numbers'}; ` +
        'the checkpoint is damaged or was never trained',
    );
  }
  const scale = width / trace;
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) m[i * width + j]! *= scale;
    m[i * width + i]! += RIDGE;
  }
  cholesky(m, width);
  return { encode: transposed(m, width), decode: transposed(inverseOf(m, width), width) };
}
