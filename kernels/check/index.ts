/** Checks of kernels against their formulas: what tests, benchmarks and `acom kernels` share. Loaded by none but them. */
export * from './cases.js';
export * from './difference.js';
export * from './harness.js';
export * from './matrix.js';
export * from './operands.js';
export * from './verify.js';
export * from './verify-matrix.js';
