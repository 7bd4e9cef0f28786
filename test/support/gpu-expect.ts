/** What tests ask of verdicts on GPU variants. */
import type { Test } from 'tap';
import { describe } from '../../kernels/check/index.js';
import { kernelSpecs } from '../../kernels/index.js';
import type { GpuRun } from './gpu-verdicts.js';

/** Operations that have a GPU variant. */
export const gpuOperations = kernelSpecs.flatMap((any) => any.visit(({ name, gpu }) => (gpu ? [name] : [])));

export function expectAgreement(t: Test, run: GpuRun | string): void {
  if (typeof run === 'string') {
    t.fail(run);
    return;
  }
  const { verdicts } = run;
  t.same(
    verdicts.map(({ operation }) => operation),
    gpuOperations,
    'every operation was run',
  );
  for (const { operation, calls, error, tolerance, disagreements } of verdicts) {
    t.same(disagreements.map(describe), [], `${operation}: ${calls} calls, ${error} of ${tolerance}`);
    t.ok(calls > 0, operation);
  }
}
