/** Operations on rows: softmax and layer norm. */
import { layerNormSpec } from '../../../kernels/layer-norm/spec.js';
import { softmaxSpec } from '../../../kernels/softmax/spec.js';
import { jaxEntry, ortEntries, tfEntry } from '../candidates.js';
import { jaxOps, onnxOps, tfOps } from '../layer-ops.js';
import { OnnxGraph } from '../onnx.js';
import { kernelEntries } from '../ours.js';
import type { Case } from './case.js';

const softmaxCase = (rows: number, columns: number): Case => ({
  group: 'softmax',
  name: `4 heads, ${rows / 4} × ${columns}`,
  operations: null,
  entries(peers) {
    const ours = kernelEntries(softmaxSpec, { rows, columns }, 'y');
    const x = { data: ours.input('x'), shape: [rows, columns] };
    const model = () => {
      const graph = new OnnxGraph();
      graph.output('y', graph.node('Softmax', [graph.input('x', x.shape)], { axis: { int: -1 } }), x.shape);
      return graph.bytes();
    };
    return [
      ...ours.entries,
      ...ortEntries(peers, model, { x }, 'y'),
      ...tfEntry(peers, (tf, keep) => {
        const input = keep(x.data, x.shape);
        return () => tf.softmax(input);
      }),
      ...jaxEntry(peers, ({ nn }) => ({ compute: (input) => nn.softmax(input!, -1), inputs: [x] })),
    ];
  },
});

const layerNormCase = (rows: number, columns: number): Case => ({
  group: 'layer norm',
  name: `${rows} × ${columns}`,
  operations: null,
  entries(peers) {
    const ours = kernelEntries(layerNormSpec, { rows, columns }, 'y');
    const x = { data: ours.input('x'), shape: [rows, columns] };
    const weight = { data: ours.input('weight'), shape: [columns] };
    const bias = { data: ours.input('bias'), shape: [columns] };
    const model = () => {
      const graph = new OnnxGraph();
      const [w, b] = [graph.constant(weight.data, [columns]), graph.constant(bias.data, [columns])];
      graph.output('y', onnxOps(graph).layerNorm(graph.input('x', x.shape), w, b), x.shape);
      return graph.bytes();
    };
    return [
      ...ours.entries,
      ...ortEntries(peers, model, { x }, 'y'),
      ...tfEntry(peers, (tf, keep) => {
        const [input, w, b] = [x, weight, bias].map(({ data, shape }) => keep(data, shape));
        return () => tfOps(tf, keep).layerNorm(input!, w!, b!);
      }),
      ...jaxEntry(peers, (jax) => ({
        compute: (input, w, b) => jaxOps(jax).layerNorm(input!, w!, b!),
        inputs: [x, weight, bias],
      })),
    ];
  },
});

export const rowCases: readonly Case[] = [softmaxCase(1000, 250), layerNormCase(250, 512)];
