/**
 * Residual vector quantisation. What a framework offers for it is a matrix product and an argmin per stage:
 * |r - c|² = |r|² - 2 r · c + |c|², of which |r|² is the same for all codewords.
 */
import { nearestCodewordVariants } from '../../../kernels/nearest-codeword/variants.js';
import { createRandom, flat } from '../../../src/tensor/index.js';
import { shippedVectors } from '../../shipped.js';
import { observe } from '../../sink.js';
import { type Entry, jaxEntry, ortEntries, tfEntry } from '../candidates.js';
import { OnnxGraph, type Value } from '../onnx.js';
import { resident } from '../ours.js';
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

/** Vectors to quantise, and with what. */
interface Problem {
  readonly count: number;
  readonly width: number;
  readonly stages: number;
  readonly codewords: number;
  /** [count, width] */
  readonly vectors: Float32Array;
  /** [stages, codewords, width] */
  readonly codebooks: Float32Array;
}

/** Uniform noise: no codeword can be ruled out by less than its whole distance. */
function noise(width: number, codewords: number): Problem {
  const random = createRandom(7);
  const uniform = (length: number) => Float32Array.from({ length }, () => 2 * random() - 1);
  const sizes = { count: COUNT, width, stages: STAGES, codewords };
  return { ...sizes, vectors: uniform(COUNT * width), codebooks: uniform(STAGES * codewords * width) };
}

/** What the shipped model quantises: vectors of the bundled recordings, by its own codebooks. */
async function speechProblem(): Promise<Problem> {
  const { vectors, codebooks } = await shippedVectors(COUNT);
  const [stages, codewords, width] = codebooks.shape as [number, number, number];
  return { count: COUNT, width, stages, codewords, vectors, codebooks: flat(codebooks) };
}

function ourEntries({ count, width, stages, codewords, vectors, codebooks }: Problem): Entry[] {
  const here = nearestCodewordVariants.filter(
    ({ name, available }) => name !== 'reference' && available() === true,
  );
  return here.map((variant) => ({
    name: `acom ${variant.name}`,
    build() {
      const kernel = variant.load();
      const packed = kernel.pack(stages, codewords, width, codebooks, 0, 'kept');
      const residual = resident(vectors, [count, width]).data;
      const indices = new Int32Array(count * stages);
      const run = () => {
        residual.set(vectors);
        kernel.encode(count, stages, packed, residual, 0, width, indices, 0, stages);
      };
      return {
        run,
        result: async () => {
          run();
          return indices.slice();
        },
        close: () => observe(indices),
      };
    },
  }));
}

function rvqCase(name: string, problem: Problem): Case {
  const { count, width, stages, codewords } = problem;
  return {
    group: 'RVQ',
    name: `${name}, D = ${width}, V = ${codewords}, K = ${stages}`,
    operations: 2 * count * stages * codewords * width,
    indices: true,
    entries: (peers) => [...ourEntries(problem), ...peerEntries(peers, problem)],
  };
}

const speech = rvqCase(`${COUNT} frames of speech, shipped model`, await speechProblem());
export const rvqCases: readonly Case[] = [
  ...BOOKS.map(([width, codewords]) => rvqCase(`${COUNT} frames`, noise(width, codewords))),
  speech,
];

function peerEntries(
  peers: Parameters<Case['entries']>[0],
  { count, width, stages, codewords, vectors, codebooks }: Problem,
): Entry[] {
  const x = { data: vectors, shape: [count, width] };
  const books = Array.from({ length: stages }, (_, stage) => bookOf(codebooks, stage, codewords, width));
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
    graph.output('indices', graph.node('Concat', indices, { axis: { int: 1 } }), [count, stages], 'int64');
    return graph.bytes();
  };
  return [
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
        for (let stage = 0; stage < stages; stage++) {
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
}
