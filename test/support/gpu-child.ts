/** A process whose only work is the GPU variants in one mode; started by gpu-places.ts. */
import type { GpuSelection } from '../../kernels/check/index.js';
import type { GpuMode } from '../../kernels/gpu/index.js';
import { gpuVerdicts } from './gpu-verdicts.js';

const [mode, selection] = process.argv.slice(2) as [GpuMode, string];
process.send?.(await gpuVerdicts(mode, JSON.parse(selection) as GpuSelection), () => process.disconnect());
