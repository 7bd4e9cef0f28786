/**
 * Residual vector quantisation. What a framework offers for it is a matrix product and an argmin per stage:
 * |r - c|² = |r|² - 2 r · c + |c|², of which |r|² is the same for all codewords.
 */
import { nearestCodewordSpec } from '../../../kernels/nearest-codeword/spec.js';
import { jaxEntry, ortEntries, tfEntry } from '../candidates.js';
import { OnnxGraph, type Value } from '../onnx.js';
import { kernelEntries } from '../ours.js';
import type { JaxArray, TfTensor } from '../packages.js';
import { type Case, transposed } from './case.js';

const COUNT = 250;
const STAGES = 8;

/** [features, codewords] */
const BOOKS = [
  [144, 256],
  [144, 1024],
  [512, 256],
  [512, 1024],
] as const;

/** One stage's codebook as the peers need it. */
interface Book {
  /** [codewords, width] */
  readonly words: Float32Array;
  /** -2 times the codewords [width, codewords]. */
  readonly scoring: Float32Array;
  /** |c|² [codewords] */
  readonly norms: Float32Array;
}

function bookOf(codebooks: Float32Array, stage: number, codewords: number, width: number): Book {
  const words = codebooks.subarray(stage * codewords * width, (stage + 1) * codewords * width);
  const norms = Float32Array.from({ length: codewords }, (_, v) =>
    words.subarray(v * width, (v + 1) * width).reduce((sum, x) => sum + x * x, 0),
  );
  return { words, norms, scoring: transposed(words, codewords, width).map((x) => -2 * x) };
}

export const rvqCases: readonly Case[] = BOOKS.map(([width, codewords]) => ({
  group: 'RVQ',
  name: `${COUNT} frames, D = ${width}, V = ${codewords}, K = ${STAGES}`,
  operations: 2 * COUNT * STAGES * codewords * width,
  indices: true,
  entries(peers) {
    const sizes = { count: COUNT, width, stages: STAGES, codewords };
    const ours = kernelEntries(nearestCodewordSpec, sizes, 'indices');
    const x = { data: ours.input('vectors'), shape: [COUNT, width] };
    const codebooks = ours.input('codebooks');
    const books = Array.from({ length: STAGES }, (_, stage) => bookOf(codebooks, stage, codewords, width));
    const [wordShape, scoringShape] = [
      [codewords, width],
      [width, codewords],
    ];
    const model = () => {
      const graph = new OnnxGraph();
      let residual = graph.input('x', x.shape);
      const indices: Value[] = [];
      for (const { words, scoring, norms } of books) {
        const products = graph.node('MatMul', [residual, graph.constant(scoring, scoringShape)]);
        const scores = graph.node('Add', [products, graph.constant(norms, [codewords])]);
        const index = graph.node('ArgMin', [scores], { axis: { int: 1 }, keepdims: { int: 0 } });
        const chosen = graph.node('Gather', [graph.constant(words, wordShape), index]);
        residual = graph.node('Sub', [residual, chosen]);
        indices.push(graph.node('Unsqueeze', [index, graph.integers(1)]));
      }
      graph.output('indices', graph.node('Concat', indices, { axis: { int: 1 } }), [COUNT, STAGES], 'int64');
      return graph.bytes();
    };
    return [
      ...ours.entries,
      ...ortEntries(peers, model, { x }, 'indices'),
      ...tfEntry(peers, (tf, keep) => {
        const vectors = keep(x.data, x.shape);
        const kept = books.map(({ words, scoring, norms }) => ({
          words: keep(words, wordShape),
          scoring: keep(scoring, scoringShape),
          norms: keep(norms, [codewords]),
        }));
        return () => {
          let residual = vectors;
          const indices: TfTensor[] = [];
          for (const { words, scoring, norms } of kept) {
            const index = tf.argMin(tf.fused.matMul({ a: residual, b: scoring, bias: norms }), 1);
            residual = tf.sub(residual, tf.gather(words, index));
            indices.push(index);
          }
          return tf.stack(indices, 1);
        };
      }),
      ...jaxEntry(peers, ({ numpy }) => ({
        compute(vectors, ...constants) {
          let residual = vectors!;
          const indices: JaxArray[] = [];
          for (let stage = 0; stage < STAGES; stage++) {
            const [words, scoring, norms] = constants.slice(3 * stage) as [JaxArray, JaxArray, JaxArray];
            const index = numpy.argmin(numpy.matmul(residual.ref, scoring).add(norms), 1);
            residual = residual.sub(numpy.take(words, index.ref, 0));
            indices.push(index);
          }
          return numpy.stack(indices, 1);
        },
        inputs: [
          x,
          ...books.flatMap(({ words, scoring, norms }) => [
            { data: words, shape: wordShape },
            { data: scoring, shape: scoringShape },
            { data: norms, shape: [codewords] },
          ]),
        ],
      })),
    ];
  },
}));
