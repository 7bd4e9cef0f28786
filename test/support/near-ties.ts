/** Whether indices that differ are near-ties: codewords that are almost as near as the nearest one. */
import { deviceNetworkFrom, type ModelSource, openModel, VectorLayout } from '../../src/codec/index.js';
import { Parameters } from '../../src/nn/index.js';
import { flat, type NdArray } from '../../src/tensor/index.js';

/** How much farther, in parts of the distance, a codeword may be that float32 on another machine takes for the nearest. */
export const NEAR_TIE = 1e-4;

/**
 * Counts vectors of a recording whose indices [vectors, K] differ: near-ties, and others. Later stages of a vector that
 * differs code another residual, and are not compared. For models with one group and no projection.
 */
export async function differences(
  source: ModelSource,
  samples: Float32Array,
  sampleRate: number,
  expected: NdArray<Int32Array>,
  found: NdArray<Int32Array>,
): Promise<{ readonly nearTies: number; readonly wrong: number }> {
  const model = await openModel(source);
  const layout = new VectorLayout(model.config);
  const { codebooks } = await model.shared();
  const network = await deviceNetworkFrom(model.config, new Parameters(await model.tensors('device')));
  const vectors: Float32Array[] = [];
  const stream = network(sampleRate, (steps, { start, from, to }) => {
    const data = flat(layout.toVectors(steps));
    for (let n = from - start; n < to - start; n++)
      vectors.push(data.slice(n * layout.width, (n + 1) * layout.width));
  });
  stream.push(samples);
  stream.finish();
  const stages = expected.shape[1]!;
  let [nearTies, wrong] = [0, 0];
  vectors.forEach((residual, n) => {
    for (let stage = 0; stage < stages; stage++) {
      const word = (index: number) => flat(codebooks.pick(stage, index, null));
      const distance = (index: number) => word(index).reduce((sum, c, d) => sum + (residual[d]! - c) ** 2, 0);
      const [right, other] = [expected.data[n * stages + stage]!, found.data[n * stages + stage]!];
      if (right !== other) {
        if (distance(other) <= distance(right) * (1 + NEAR_TIE)) nearTies++;
        else wrong++;
        return;
      }
      word(right).forEach((c, d) => {
        residual[d]! -= c;
      });
    }
  });
  return { nearTies, wrong };
}
