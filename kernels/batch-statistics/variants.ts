/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type BatchStatistics, batchStatisticsReference } from './reference.js';
import { batchStatisticsSimd } from './simd.js';

export const batchStatisticsVariants: readonly KernelVariant<BatchStatistics>[] = [
  referenceVariant('batch-statistics', batchStatisticsReference, 'a column at a time, float64 sums'),
  ...simdVariants(batchStatisticsSimd),
];
