/** A whole conformer layer: ours with relative attention, the peers' with absolute attention. */
import { ConformerLayer, encoderLayerMacs, Parameters, relativePositions } from '../../../src/nn/index.js';
import { createRandom } from '../../../src/tensor/index.js';
import { jaxEntry, ortEntries, tfEntry } from '../candidates.js';
import { plainLayer, randomLayer, withoutPositions } from '../conformer-layer.js';
import { jaxOps, onnxOps, tfOps } from '../layer-ops.js';
import { OnnxGraph } from '../onnx.js';
import { chosenName, networkEntry, resident } from '../ours.js';
import type { Case } from './case.js';

const small = { width: 144, heads: 4, layers: 1, feedForward: 576, depthwiseTaps: 31 };
const large = { width: 512, heads: 8, layers: 1, feedForward: 2048, depthwiseTaps: 31 };

export const conformerCases: readonly Case[] = [small, large].flatMap((config) =>
  [250, 25].map((frames) => ({
    group: 'conformer layer' as const,
    name: `d = ${config.width}, T = ${frames}`,
    // Without the projection of the positions, which is the same for every call and is not repeated.
    operations: 2 * (encoderLayerMacs(config, frames) - config.width ** 2 * (2 * frames - 1)),
    entries(peers) {
      const { width } = config;
      const state = randomLayer(config, 11);
      const random = createRandom(12);
      const x = {
        data: Float32Array.from({ length: frames * width }, () => 2 * random() - 1),
        shape: [frames, width],
      };
      const model = () => {
        const graph = new OnnxGraph();
        const y = plainLayer(onnxOps(graph), state, config)(graph.input('x', x.shape), frames);
        graph.output('y', y, x.shape);
        return graph.bytes();
      };
      return [
        {
          name: chosenName(),
          build() {
            const table = relativePositions(frames, width);
            const positions = resident(table.data, table.shape);
            const input = resident(x.data, [1, ...x.shape]);
            const layer = new ConformerLayer(new Parameters(state), config);
            // Compared with the peers is what is left without positions; timed is the whole.
            const plain = new ConformerLayer(new Parameters(withoutPositions(state)), config);
            return networkEntry(
              () => layer.forward(input, positions),
              () => plain.forward(input, positions),
            ).build();
          },
        },
        ...ortEntries(peers, model, { x }, 'y'),
        ...tfEntry(peers, (tf, keep) => {
          const layer = plainLayer(tfOps(tf, keep), state, config);
          const input = keep(x.data, x.shape);
          return () => layer(input, frames);
        }),
        ...jaxEntry(peers, (jax) => {
          const layer = plainLayer(jaxOps(jax), state, config);
          return { compute: (input) => layer(input!, frames), inputs: [x] };
        }),
      ];
    },
  })),
);
