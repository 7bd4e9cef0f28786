/** A process whose only work is the times of one mode; started by ../gpu.ts. */
import type { GpuMode } from '../../kernels/gpu/index.js';
import { timePlace } from './place.js';

const [mode, budget] = process.argv.slice(2) as [GpuMode, string];
process.send?.(await timePlace(mode, Number(budget)), () => process.disconnect());
