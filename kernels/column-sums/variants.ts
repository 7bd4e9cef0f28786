/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type ColumnSums, columnSumsReference } from './reference.js';
import { columnSumsSimd } from './simd.js';

export const columnSumsVariants: readonly KernelVariant<ColumnSums>[] = [
  referenceVariant('column-sums', columnSumsReference, 'a column at a time, float64 sums'),
  ...simdVariants(columnSumsSimd),
];
