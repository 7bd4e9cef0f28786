/** Rotary positions against RoPEMHA's formula in float64, and what they are for: scores know distances only. */
import t from 'tap';
import {
  type ConformerCtcConfig,
  ConformerLayer,
  ConformerPrefix,
  ConformerSuffix,
  checkConformerCtc,
  type EncoderConfig,
  Parameters,
  RotarySelfAttention,
  rotaryTable,
} from '../../src/nn/index.js';
import { rotatePositions } from '../../src/ops/index.js';
import {
  createRandom,
  type NdArray,
  type Tensor,
  type TypedArray,
  view,
  zeros,
} from '../../src/tensor/index.js';

const random = createRandom(12);
const tensor = (...shape: number[]): Tensor => {
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = 2 * random() - 1;
  return x;
};
const near = (a: number, b: number, tolerance = 1e-5) => Math.abs(a - b) <= tolerance;

/** SpeechBrain's RoPEMHA of x [frames, width], number by number in float64; gives [frames, width] and the map. */
function exactAttention(
  x: number[][],
  weights: Map<string, Tensor>,
  heads: number,
): { readonly y: number[][]; readonly map: number[][][] } {
  const width = x[0]!.length;
  const size = width / heads;
  const inWeight = weights.get('in_proj_weight')!.data;
  const project = (row: number, frame: number[]) =>
    frame.reduce((sum, value, c) => sum + value * inWeight[row * width + c]!, 0);
  const turned = (vector: number[], t: number) =>
    vector.map((value, d) => {
      const angle = t / 10000 ** ((d - (d % 2)) / size);
      return d % 2 === 0
        ? value * Math.cos(angle) - vector[d + 1]! * Math.sin(angle)
        : value * Math.cos(angle) + vector[d - 1]! * Math.sin(angle);
    });
  const joined: number[][] = x.map(() => []);
  const map: number[][][] = [];
  for (let h = 0; h < heads; h++) {
    const part = (which: number, t: number) =>
      Array.from({ length: size }, (_, d) => project(3 * size * h + which * size + d, x[t]!));
    const queries = x.map((_, t) => turned(part(0, t), t));
    const keys = x.map((_, t) => turned(part(1, t), t));
    map.push(
      queries.map((query, t) => {
        const scores = keys.map(
          (key) => query.reduce((sum, value, d) => sum + value * key[d]!, 0) / Math.sqrt(width),
        );
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
        const row = scores.map((score) => Math.exp(score) / total);
        for (let d = 0; d < size; d++) {
          joined[t]!.push(row.reduce((sum, weight, s) => sum + weight * part(2, s)[d]!, 0));
        }
        return row;
      }),
    );
  }
  const [out, bias] = [weights.get('out_proj.weight')!.data, weights.get('out_proj.bias')!.data];
  const y = joined.map((frame) =>
    frame.map((_, r) => frame.reduce((sum, value, c) => sum + value * out[r * width + c]!, bias[r]!)),
  );
  return { y, map };
}

t.test('attention is the formula', async (t) => {
  for (const [frames, width, heads] of [
    [1, 4, 1],
    [7, 12, 2],
    [13, 24, 3],
    [5, 20, 2],
  ] as const) {
    const weights = new Map([
      ['in_proj_weight', tensor(3 * width, width)],
      ['out_proj.weight', tensor(width, width)],
      ['out_proj.bias', tensor(width)],
    ]);
    const parameters = new Parameters(weights);
    const attention = new RotarySelfAttention(parameters, width, heads);
    parameters.requireComplete('attention');
    const x = tensor(2, frames, width);
    const { output, map } = attention.attend(x, rotaryTable(frames, width / heads), undefined, true);
    for (let b = 0; b < 2; b++) {
      const rows = Array.from({ length: frames }, (_, i) => [
        ...x.data.subarray((b * frames + i) * width, (b * frames + i + 1) * width),
      ]);
      const exact = exactAttention(rows, weights, heads);
      const [got, weighed] = [exact.y.flat(), exact.map.flat(2)];
      t.ok(
        got.every((value, i) => near(value, output.data[b * got.length + i]!)),
        `${frames} x ${width}`,
      );
      t.ok(
        weighed.every((value, i) => near(value, map!.data[b * weighed.length + i]!)),
        'map',
      );
    }
  }
});

t.test('masked keys take no weight', async (t) => {
  const parameters = new Parameters(
    new Map([
      ['in_proj_weight', tensor(24, 8)],
      ['out_proj.weight', tensor(8, 8)],
      ['out_proj.bias', tensor(8)],
    ]),
  );
  const attention = new RotarySelfAttention(parameters, 8, 2);
  const x = tensor(1, 5, 8);
  const mask = view(Uint8Array.of(0, 0, 0, 1, 1), [1, 5]);
  const short = attention.forward(x.hi(1, 3, 8), rotaryTable(3, 4));
  const padded = attention.forward(x, rotaryTable(5, 4), mask);
  t.ok(short.data.every((value, i) => near(value, padded.data[i]!)));
});

t.test('products of queries and keys depend on the distance of their frames alone', async (t) => {
  const [frames, size] = [40, 6];
  const [query, key] = [tensor(size), tensor(size)];
  const everywhere = (vector: Tensor) => {
    const x = zeros([1, frames, 1, size]);
    for (let i = 0; i < frames; i++) x.data.set(vector.data, i * size);
    rotatePositions(x, rotaryTable(frames, size));
    return x;
  };
  const [queries, keys] = [everywhere(query), everywhere(key)];
  const product = (i: number, j: number) => {
    let sum = 0;
    for (let d = 0; d < size; d++) sum += queries.data[i * size + d]! * keys.data[j * size + d]!;
    return sum;
  };
  const ofDistance = new Map<number, number>();
  for (let i = 0; i < frames; i++) {
    for (let j = 0; j < frames; j++) {
      const known = ofDistance.get(i - j) ?? product(i, j);
      ofDistance.set(i - j, known);
      if (!near(known, product(i, j))) t.fail(`frames ${i} and ${j}`);
    }
  }
  const values = [...ofDistance.values()];
  t.ok(Math.max(...values) - Math.min(...values) > 0.1, 'and differ from distance to distance');
  t.notOk(near(ofDistance.get(3)!, ofDistance.get(-3)!, 1e-3), 'past is not future');
});

const encoder: EncoderConfig = {
  width: 8,
  heads: 2,
  layers: 2,
  feedForward: 12,
  depthwiseTaps: 3,
  positions: 'rotary',
};
const model: ConformerCtcConfig = {
  type: 'speechbrain-conformer-ctc',
  frontEnd: { mels: 8, channels: [4], kernelSizes: [3], strides: [2] },
  encoder,
  classes: 5,
  head: '3',
};

/** A state dict that makes every tensor that a network asks for, and remembers its name. */
class Anything extends Map<string, NdArray<TypedArray>> {
  constructor(private readonly shapeOf: (name: string) => readonly number[]) {
    super();
  }
  override get(name: string): NdArray<TypedArray> {
    const known = super.get(name) ?? tensor(...this.shapeOf(name));
    this.set(name, known);
    return known;
  }
}

t.test(
  'a conformer with rotary positions: no parameters of relative ones, and cut it gives the whole',
  async (t) => {
    const { width: d, feedForward } = encoder;
    const shapes: [RegExp, number[]][] = [
      [/^0\..*conv\.weight$/, [4, 1, 3, 3]],
      [/^0\..*conv\.bias$/, [4]],
      [/^0\..*norm\.(weight|bias)$/, [4, 4]],
      [/custom_src_module.*weight$/, [d, 16]],
      [/in_proj_weight$/, [3 * d, d]],
      [/bottleneck\.0\.weight$/, [2 * d, d, 1]],
      [/bottleneck\.0\.bias$/, [2 * d]],
      [/convolution_module\.conv\.weight$/, [d, 1, 3]],
      [/ffn\.0\.weight$/, [feedForward, d]],
      [/ffn\.0\.bias$/, [feedForward]],
      [/ffn\.3\.weight$/, [d, feedForward]],
      [/(out_proj|after_conv\.2)\.weight$/, [d, d]],
      [/^3\.w\.weight$/, [5, d]],
      [/^3\.w\.bias$/, [5]],
    ];
    const tensors = new Anything((name) => shapes.find(([pattern]) => pattern.test(name))?.[1] ?? [d]);
    const parameters = new Parameters(tensors);
    checkConformerCtc(model);
    const features = tensor(1, 18, 8);
    const results = [0, 1, 2].map((split) => {
      const cut = new ConformerPrefix(parameters, model, split).forward(features);
      return [...new ConformerSuffix(parameters, model, split).forward(cut).data];
    });
    parameters.requireComplete('conformer');
    t.same(results[1], results[0]);
    t.same(results[2], results[0]);
    t.ok(results[0]!.every(Number.isFinite));
    t.notOk([...tensors.keys()].some((name) => /linear_pos|pos_bias/.test(name)));
    const layer = new ConformerLayer(parameters.scope('1.encoder.layers.0'), encoder);
    const x = tensor(1, 6, d);
    const [here, later] = [0, 20].map((from) => {
      // The table from frame `from` on: only distances count, so it changes nothing.
      const table = rotaryTable(26, d / 2);
      const part = view(table.data.slice(from * d, (from + 6) * d), [6, d]);
      return layer.forward(x, part).data;
    });
    t.ok(here!.every((value, i) => near(value, later![i]!, 1e-4)));
  },
);

t.test('configurations with positions that are none', async (t) => {
  const bad = (change: object) => () =>
    checkConformerCtc({ ...model, encoder: { ...encoder, ...change } as EncoderConfig });
  t.throws(bad({ positions: 'absolute' }), {
    name: 'ModelError',
    message: /absolute, expected relative or rotary/,
  });
  t.throws(bad({ width: 6 }), { name: 'ModelError', message: /turn pairs of features, and heads have 3/ });
  bad({ positions: 'relative', width: 6 })();
});
