/** The GPU variant of every operation that networks use, by the list of its other variants. Loaded with the backend alone. */
import { gluGpu, leakyReluGpu, reluGpu, scaledAddGpu, swishGpu } from '../activations/gpu.js';
import {
  gluVariants,
  leakyReluVariants,
  reluVariants,
  scaledAddVariants,
  swishVariants,
} from '../activations/variants.js';
import { averagePool2dGpu } from '../average-pool2d/gpu.js';
import { averagePool2dVariants } from '../average-pool2d/variants.js';
import { batchNormGpu } from '../batch-norm/gpu.js';
import { batchNormVariants } from '../batch-norm/variants.js';
import { conv2dGpu } from '../conv2d/gpu.js';
import { conv2dVariants } from '../conv2d/variants.js';
import { depthwiseConv1dGpu } from '../depthwise-conv1d/gpu.js';
import { depthwiseConv1dVariants } from '../depthwise-conv1d/variants.js';
import { depthwiseConv2dGpu } from '../depthwise-conv2d/gpu.js';
import { depthwiseConv2dVariants } from '../depthwise-conv2d/variants.js';
import { framePoolingGpu } from '../frame-pooling/gpu.js';
import { framePoolingVariants } from '../frame-pooling/variants.js';
import { layerNormGpu } from '../layer-norm/gpu.js';
import { layerNormVariants } from '../layer-norm/variants.js';
import { matmulGpu } from '../matmul/gpu.js';
import { matmulVariants } from '../matmul/variants.js';
import { nearestCodewordGpu } from '../nearest-codeword/gpu.js';
import { nearestCodewordVariants } from '../nearest-codeword/variants.js';
import { relativeAttentionGpu } from '../relative-attention/gpu.js';
import { relativeAttentionVariants } from '../relative-attention/variants.js';
import { rotaryPositionsGpu } from '../rotary-positions/gpu.js';
import { rotaryPositionsVariants } from '../rotary-positions/variants.js';
import { logSoftmaxGpu, softmaxGpu } from '../softmax/gpu.js';
import { logSoftmaxVariants, softmaxVariants } from '../softmax/variants.js';
import type { KernelVariant } from '../spec.js';

const pair = <F>(variants: readonly KernelVariant<F>[], gpu: KernelVariant<F>) =>
  [variants as unknown, gpu as unknown] as const;

export const gpuKernels = new Map<unknown, unknown>([
  pair(matmulVariants, matmulGpu),
  pair(conv2dVariants, conv2dGpu),
  pair(averagePool2dVariants, averagePool2dGpu),
  pair(depthwiseConv1dVariants, depthwiseConv1dGpu),
  pair(depthwiseConv2dVariants, depthwiseConv2dGpu),
  pair(relativeAttentionVariants, relativeAttentionGpu),
  pair(rotaryPositionsVariants, rotaryPositionsGpu),
  pair(softmaxVariants, softmaxGpu),
  pair(logSoftmaxVariants, logSoftmaxGpu),
  pair(layerNormVariants, layerNormGpu),
  pair(batchNormVariants, batchNormGpu),
  pair(swishVariants, swishGpu),
  pair(reluVariants, reluGpu),
  pair(leakyReluVariants, leakyReluGpu),
  pair(gluVariants, gluGpu),
  pair(scaledAddVariants, scaledAddGpu),
  pair(framePoolingVariants, framePoolingGpu),
  pair(nearestCodewordVariants, nearestCodewordGpu),
]) as ReadonlyMap<readonly KernelVariant<never>[], KernelVariant<unknown>>;
