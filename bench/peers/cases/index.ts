import type { Case } from './case.js';
import { cnn14Cases } from './cnn14.js';
import { conformerCases } from './conformer.js';
import { conv2dCases, depthwiseCases } from './convolution.js';
import { deviceCases } from './device-half.js';
import { logMelCases } from './log-mel.js';
import { matmulCases } from './matmul.js';
import { rowCases } from './rows.js';
import { rvqCases } from './rvq.js';

/** All comparisons, in the order of the report. */
export const cases: readonly Case[] = [
  ...matmulCases,
  ...depthwiseCases,
  ...conv2dCases,
  ...rowCases,
  ...rvqCases,
  ...logMelCases,
  ...conformerCases,
  ...cnn14Cases,
  ...deviceCases,
];

export const titleOf = ({ group, name }: Case): string => `${group}: ${name}`;
