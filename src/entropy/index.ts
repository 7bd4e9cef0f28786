export { Adaptive } from './adaptive.js';
export { depthOf, sumsOverTree } from './codeword-tree.js';
export { Context } from './context.js';
export {
  type ContextTables,
  contextBytes,
  contextShapes,
  LOOK_BACK_STAGES,
  MOST_DIMENSIONS,
} from './context-tables.js';
export { FrequencyTable, frequenciesFromCounts, MOST_CODEWORDS } from './frequency-table.js';
export { OrderZero } from './order-zero.js';
export { RangeDecoder, RangeEncoder, TOTAL_BITS } from './range-coder.js';
export { type CodewordModel, decodeRun, encodeRun, packedBytes, type Run } from './run-coder.js';
