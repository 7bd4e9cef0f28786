import type { NearestCodewordKernel, PackedCodebooks } from '../../kernels/nearest-codeword/reference.js';
import { nearestCodewordVariants } from '../../kernels/nearest-codeword/variants.js';
import { contiguous, flat, type NdArray, ShapeError, scratch, type Tensor, view } from '../tensor/index.js';
import { isDeferred, kernelOf } from './dispatch.js';
import { poolFrames } from './frame-pooling.js';
import { describeShape, requireRank } from './shapes.js';

/** Codebooks packed for many uses. */
export interface Codebooks {
  /** The one that packed them: no other can read them. */
  readonly kernel: NearestCodewordKernel;
  readonly packed: PackedCodebooks;
}

/** Packs codebooks [K, codewords, width]. */
export function packCodebooks(codebooks: Tensor, lifetime: 'kept' | 'work' = 'kept'): Codebooks {
  requireRank('nearestCodewords', 'codebooks', codebooks, 3, '[stages, codewords, width]');
  const [stages, codewords, width] = codebooks.shape as [number, number, number];
  const { data, offset } = contiguous(codebooks);
  const kernel = kernelOf(nearestCodewordVariants);
  return { kernel, packed: kernel.pack(stages, codewords, width, data, offset, lifetime) };
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
export function nearestCodewordsPacked(x: Tensor, codebooks: Codebooks, stages: number): Quantized {
  const quantized = unquantized(x, codebooks.packed, stages);
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
    // A copy that is no kernel would be lost where kernels are deferred; groups of one frame are a copy too.
    residual: isDeferred() ? poolFrames(x, 1) : view(flat(x).slice(), [count, width]),
  };
}

function encodeInto({ indices, residual }: Quantized, { kernel, packed }: Codebooks, stages: number): void {
  const [count, width] = residual.shape as [number, number];
  kernel.encode(count, stages, packed, residual.data, 0, width, indices.data, 0, stages);
}
