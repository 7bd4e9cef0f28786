export { FrequencyTable, frequenciesFromCounts, MOST_CODEWORDS } from './frequency-table.js';
export { RangeDecoder, RangeEncoder, TOTAL_BITS } from './range-coder.js';
export { decodeStage, encodeStage, packedBytes } from './stage-coder.js';
