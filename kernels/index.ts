/** Every kernel there is. Tests, benchmarks and the catalogue walk this list; nothing else names them. */
import { gluSpec, leakyReluSpec, reluSpec, scaledAddSpec, swishSpec } from './activations/spec.js';
import {
  gluBackwardSpec,
  leakyReluBackwardSpec,
  reluBackwardSpec,
  swishBackwardSpec,
} from './activations-backward/spec.js';
import { averagePool2dBackwardSpec } from './average-pool2d/backward/spec.js';
import { averagePool2dSpec } from './average-pool2d/spec.js';
import { batchNormSpec } from './batch-norm/spec.js';
import { batchNormBackwardSpec } from './batch-norm-backward/spec.js';
import { batchStatisticsSpec } from './batch-statistics/spec.js';
import { columnSumsSpec } from './column-sums/spec.js';
import { conv2dBackwardSpec } from './conv2d/backward/spec.js';
import { conv2dScatterSpec } from './conv2d/scatter/spec.js';
import { conv2dSpec } from './conv2d/spec.js';
import { depthwiseConv1dBackwardSpec } from './depthwise-conv1d/backward/spec.js';
import { depthwiseConv1dSpec } from './depthwise-conv1d/spec.js';
import { depthwiseConv2dBackwardSpec } from './depthwise-conv2d/backward/spec.js';
import { depthwiseConv2dSpec } from './depthwise-conv2d/spec.js';
import { dropoutSpec } from './dropout/spec.js';
import { fourierSpec } from './fourier/spec.js';
import { framePoolingSpec } from './frame-pooling/spec.js';
import { imagePoolingBackwardSpec } from './image-pooling/backward/spec.js';
import { imagePoolingSpec } from './image-pooling/spec.js';
import { layerNormSpec } from './layer-norm/spec.js';
import { layerNormBackwardSpec } from './layer-norm-backward/spec.js';
import { logMelSpec } from './log-mel/spec.js';
import { matmulSpec } from './matmul/spec.js';
import { maxPool2dBackwardSpec } from './max-pool2d/backward/spec.js';
import { maxPool2dSpec } from './max-pool2d/spec.js';
import { nearestCodewordSpec } from './nearest-codeword/spec.js';
import { adamwSpec, movingAverageSpec } from './optimizer/spec.js';
import { multiplySpec, scaleSpec } from './products/spec.js';
import { sumOfSquaresSpec, sumSpec } from './reductions/spec.js';
import { relativeAttentionBackwardSpec } from './relative-attention/backward/spec.js';
import { relativeAttentionSpec } from './relative-attention/spec.js';
import { rotaryPositionsSpec } from './rotary-positions/spec.js';
import { logSoftmaxSpec, softmaxSpec } from './softmax/spec.js';
import { logSoftmaxBackwardSpec, softmaxBackwardSpec } from './softmax-backward/spec.js';
import { type AnyKernelSpec, anyKernel } from './spec.js';
import { assemble } from './wasm/runtime.js';

export const kernelSpecs: readonly AnyKernelSpec[] = [
  anyKernel(matmulSpec),
  anyKernel(conv2dSpec),
  anyKernel(conv2dBackwardSpec),
  anyKernel(conv2dScatterSpec),
  anyKernel(averagePool2dSpec),
  anyKernel(averagePool2dBackwardSpec),
  anyKernel(maxPool2dSpec),
  anyKernel(maxPool2dBackwardSpec),
  anyKernel(imagePoolingSpec),
  anyKernel(imagePoolingBackwardSpec),
  anyKernel(depthwiseConv1dSpec),
  anyKernel(depthwiseConv1dBackwardSpec),
  anyKernel(depthwiseConv2dSpec),
  anyKernel(depthwiseConv2dBackwardSpec),
  anyKernel(relativeAttentionSpec),
  anyKernel(relativeAttentionBackwardSpec),
  anyKernel(rotaryPositionsSpec),
  anyKernel(softmaxSpec),
  anyKernel(logSoftmaxSpec),
  anyKernel(layerNormSpec),
  anyKernel(batchNormSpec),
  anyKernel(swishSpec),
  anyKernel(reluSpec),
  anyKernel(leakyReluSpec),
  anyKernel(gluSpec),
  anyKernel(scaledAddSpec),
  anyKernel(framePoolingSpec),
  anyKernel(nearestCodewordSpec),
  anyKernel(fourierSpec),
  anyKernel(logMelSpec),
  anyKernel(scaleSpec),
  anyKernel(multiplySpec),
  anyKernel(sumSpec),
  anyKernel(sumOfSquaresSpec),
  anyKernel(columnSumsSpec),
  anyKernel(batchStatisticsSpec),
  anyKernel(batchNormBackwardSpec),
  anyKernel(dropoutSpec),
  anyKernel(adamwSpec),
  anyKernel(movingAverageSpec),
  anyKernel(layerNormBackwardSpec),
  anyKernel(swishBackwardSpec),
  anyKernel(reluBackwardSpec),
  anyKernel(leakyReluBackwardSpec),
  anyKernel(gluBackwardSpec),
  anyKernel(softmaxBackwardSpec),
  anyKernel(logSoftmaxBackwardSpec),
];

export type * from './spec.js';
export { configureKernels, type KernelSettings } from './wasm/runtime.js';

/**
 * The bytes of one WebAssembly module with all SIMD kernels, for `configureKernels({ module })` in runtimes that
 * compile none from bytes: what the build writes as `acom-kernels.wasm`.
 */
export function assembleAllKernels(): Uint8Array<ArrayBuffer> {
  const definitions = kernelSpecs.flatMap((any) =>
    any.visit(({ variants }) => variants.flatMap(({ define }) => (define ? [define] : []))),
  );
  return assemble('all', [...new Set(definitions)], 'simd', { pages: 1, shared: false });
}
