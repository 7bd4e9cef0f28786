import { setFlagsFromString } from 'node:v8';
import { matmulVariants } from '../../../kernels/matmul/variants.js';
import { automaticVariant, chosenKernels, type KernelChoice } from '../../ops/dispatch.js';

/** From here on V8 has relaxed SIMD without being asked. */
const NODE_WITH_RELAXED_SIMD = 22;

/**
 * Kernel variants of a run, the same in all its threads: fused multiply-adds where the engine has them, which make a step a
 * quarter faster. Node 20 has them behind a flag, and looks at it when the first kernel is chosen; where that has been, the
 * run goes on without.
 */
export function kernelsOfRun(): KernelChoice {
  if (Number(process.versions.node.split('.')[0]) < NODE_WITH_RELAXED_SIMD) {
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  }
  const choice = chosenKernels();
  return choice === 'auto' ? automaticVariant(matmulVariants) : choice;
}
