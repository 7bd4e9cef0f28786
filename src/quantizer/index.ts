export { CodewordTable } from './codeword-table.js';
export { type FitOptions, fitQuantizer } from './fit.js';
export { fitGroups } from './fit-groups.js';
export { GroupedQuantizer, interleaveGroups } from './grouped-quantizer.js';
export { pooledLength, repeatFrames } from './pooling.js';
export { type Projection, projectedEncoder, projectedTable } from './projected-quantizer.js';
export { ResidualQuantizer } from './residual-quantizer.js';
export { codewordUsage, entropyOfCounts, type StageUsage } from './usage.js';
export type { VectorEncoder, VectorTable } from './vector-quantizer.js';
