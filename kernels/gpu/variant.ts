import type { KernelVariant } from '../spec.js';

/** The variant of an operation that runs through GPU.js: its kernel notes launches (recording.ts). */
export function gpuVariant<F>(operation: string, kernel: F, summary: string): KernelVariant<F> {
  const available = () => 'it runs inside record or compile of a Gpu (openGpu)';
  return { operation, name: 'gpu', summary, available, load: () => kernel };
}
