/** Operations with gradients, and the tape that walks back over them. */
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.js';
export { type CtcLoss, ctcLoss } from './ctc-loss.js';
export { gatherRows } from './gather-rows.js';
export { linear } from './linear.js';
export { scaledAdd } from './scaled-add.js';
export { type SoftChoice, softCounts } from './soft-counts.js';
export { squaredError } from './squared-error.js';
export { straightThrough } from './straight-through.js';
export { sumPrefix } from './sum-prefix.js';
export { constant, scalarOf, Tape, Variable } from './tape.js';
export { uniformDivergence } from './uniform-divergence.js';
export { weightedSum } from './weighted-sum.js';
