import type { PackedCodebooks } from '../../kernels/nearest-codeword/reference.js';
import { nearestCodewordVariants } from '../../kernels/nearest-codeword/variants.js';
import { contiguous, flat, type NdArray, ShapeError, scratch, type Tensor, view } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank } from './shapes.js';

/** Packs codebooks [K, codewords, width] for many uses. */
export function packCodebooks(codebooks: Tensor, lifetime: 'kept' | 'work' = 'kept'): PackedCodebooks {
  requireRank('nearestCodewords', 'codebooks', codebooks, 3, '[stages, codewords, width]');
  const [stages, codewords, width] = codebooks.shape as [number, number, number];
  const { data, offset } = contiguous(codebooks);
  return kernelOf(nearestCodewordVariants).pack(stages, codewords, width, data, offset, lifetime);
}

/** What a quantiser makes of vectors. */
export interface Quantized {
  /** [count, stages] */
  readonly indices: NdArray<Int32Array>;
  /** What no stage explained, [count, width]. */
  readonly residual: Tensor;
}

/**
 * Quantises vectors [count, width] by the first `stages` codebooks, each stage coding what the one before left.
 */
export function nearestCodewordsPacked(x: Tensor, codebooks: PackedCodebooks, stages: number): Quantized {
  const quantized = unquantized(x, codebooks, stages);
  encodeInto(quantized, codebooks, stages);
  return quantized;
}

/** The same with codebooks [K, codewords, width] that are packed for this call. */
export function nearestCodewords(x: Tensor, codebooks: Tensor, stages: number): Quantized {
  requireRank('nearestCodewords', 'codebooks', codebooks, 3, '[stages, codewords, width]');
  const [available, , width] = codebooks.shape as [number, number, number];
  const quantized = unquantized(x, { stages: available, width }, stages);
  scratch(() => encodeInto(quantized, packCodebooks(codebooks, 'work'), stages));
  return quantized;
}

/** The vectors as their own residuals, and no indices yet. */
function unquantized(
  x: Tensor,
  codebooks: Pick<PackedCodebooks, 'stages' | 'width'>,
  stages: number,
): Quantized {
  requireRank('nearestCodewords', 'x', x, 2, '[count, width]');
  const [count, width] = x.shape as [number, number];
  if (width !== codebooks.width) {
    throw new ShapeError(
      `nearestCodewords: x ${describeShape(x.shape)} and codebooks of width ${codebooks.width} do not fit: ` +
        `the last axis of both must be the same`,
    );
  }
  if (!Number.isInteger(stages) || stages < 0 || stages > codebooks.stages) {
    throw new ShapeError(`nearestCodewords: ${stages} stages asked of ${codebooks.stages} codebooks`);
  }
  return {
    indices: view(new Int32Array(count * stages), [count, stages]),
    residual: view(flat(x).slice(), [count, width]),
  };
}

function encodeInto({ indices, residual }: Quantized, codebooks: PackedCodebooks, stages: number): void {
  const [count, width] = residual.shape as [number, number];
  kernelOf(nearestCodewordVariants).encode(
    count,
    stages,
    codebooks,
    residual.data,
    0,
    width,
    indices.data,
    0,
    stages,
  );
}
