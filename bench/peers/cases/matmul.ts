/** Products of activations with weights, which are known beforehand: whoever packs them may. */
import { matmulSpec } from '../../../kernels/matmul/spec.js';
import { jaxEntry, ortEntries, tfEntry } from '../candidates.js';
import { OnnxGraph } from '../onnx.js';
import { kernelEntries } from '../ours.js';
import { type Case, transposed } from './case.js';

/** [m, k, n] */
const SHAPES = [
  [25, 576, 144],
  [25, 144, 576],
  [250, 576, 144],
  [250, 144, 576],
  [250, 2048, 512],
  [250, 512, 2048],
  [8, 2048, 512],
  [1, 2048, 512],
  [512, 512, 512],
] as const;

export const matmulCases: readonly Case[] = SHAPES.map(([m, k, n]) => ({
  group: m === 1 ? 'matmul, one row' : 'matmul',
  name: `${m} × ${k} × ${n}`,
  operations: 2 * m * k * n,
  entries(peers) {
    const ours = kernelEntries(matmulSpec, { m, n, k, transposeB: true }, 'c');
    const a = { data: ours.input('a'), shape: [m, k] };
    const b = { data: transposed(ours.input('b'), n, k), shape: [k, n] };
    const model = () => {
      const graph = new OnnxGraph();
      const y = graph.node('MatMul', [graph.input('a', a.shape), graph.constant(b.data, b.shape)]);
      graph.output('y', y, [m, n]);
      return graph.bytes();
    };
    return [
      ...ours.entries,
      ...ortEntries(peers, model, { a }, 'y'),
      ...tfEntry(peers, (tf, keep) => {
        const [left, right] = [keep(a.data, a.shape), keep(b.data, b.shape)];
        return () => tf.matMul(left, right);
      }),
      ...jaxEntry(peers, ({ numpy }) => ({ compute: (x, y) => numpy.matmul(x!, y!), inputs: [a, b] })),
    ];
  },
}));
