import { nearestCodewordVariants } from '../../kernels/nearest-codeword/variants.js';
import { contiguous, flat, type NdArray, ShapeError, type Tensor, view } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank } from './shapes.js';

/**
 * Quantises vectors [count, width] by the first `stages` codebooks of [K, codewords, width], each stage
 * coding what the one before left. Gives indices [count, stages] and what no stage explained.
 */
export function nearestCodewords(
  x: Tensor,
  codebooks: Tensor,
  stages: number,
): { readonly indices: NdArray<Int32Array>; readonly residual: Tensor } {
  requireRank('nearestCodewords', 'x', x, 2, '[count, width]');
  requireRank('nearestCodewords', 'codebooks', codebooks, 3, '[stages, codewords, width]');
  const [count, width] = x.shape as [number, number];
  const [available, codewords, codebookWidth] = codebooks.shape as [number, number, number];
  if (width !== codebookWidth) {
    throw new ShapeError(
      `nearestCodewords: x ${describeShape(x.shape)} and codebooks ${describeShape(codebooks.shape)} ` +
        `do not fit: the last axis of both must be the same`,
    );
  }
  if (!Number.isInteger(stages) || stages < 0 || stages > available) {
    throw new ShapeError(`nearestCodewords: ${stages} stages asked of ${available} codebooks`);
  }
  const books = contiguous(codebooks);
  const residual = flat(x).slice();
  const indices = new Int32Array(count * stages);
  kernelOf(nearestCodewordVariants)(
    count,
    width,
    stages,
    codewords,
    books.data,
    books.offset,
    residual,
    0,
    width,
    indices,
    0,
    stages,
  );
  return { indices: view(indices, [count, stages]), residual: view(residual, [count, width]) };
}
