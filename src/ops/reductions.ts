import { sumVariants } from '../../kernels/reductions/variants.js';
import type { Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { elementsOf } from './shapes.js';

/** Σ of all elements, in float64. */
export function sum(x: Tensor): number {
  const elements = elementsOf('sum', 'x', x);
  return kernelOf(sumVariants)(elements.length, elements, 0);
}
