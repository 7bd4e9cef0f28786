/** GPU variants against float64 in Node: without a GPU on all sizes, on WebGPU on some. */
import t from 'tap';
import { describe, gpuTolerance, verifyGpu } from '../../kernels/check/index.js';
import { GPU_MODES, openGpu } from '../../kernels/gpu/index.js';
import { kernelSpecs } from '../../kernels/index.js';
import { matmulGpu } from '../../kernels/matmul/gpu.js';
import { matmulSpec } from '../../kernels/matmul/spec.js';
import { expectAgreement, gpuOperations } from '../support/gpu-expect.js';
import { gpuRunInNode } from '../support/gpu-places.js';
import { gpuVerdicts } from '../support/gpu-verdicts.js';

t.test('modes cpu and webasm, all sizes', async (t) => {
  t.ok(gpuOperations.length > 10, gpuOperations.join(', '));
  for (const mode of ['cpu', 'webasm'] as const) expectAgreement(t, await gpuVerdicts(mode, {}));
});

const webgpu = await gpuRunInNode('webgpu', { sizes: 6, inTurn: true });
t.test('mode webgpu, some sizes', { skip: typeof webgpu === 'string' ? webgpu : false }, async (t) =>
  expectAgreement(t, webgpu),
);

t.test('a GPU variant that is wrong, and one that does not run', async (t) => {
  const gpu = await openGpu('cpu');
  t.teardown(() => gpu.dispose());
  const kernel = matmulGpu.load();
  const plainly = {
    ...matmulGpu,
    // Whatever the sizes ask for, nothing is activated.
    load: (): typeof kernel => ({
      ...kernel,
      multiply: (m, a, aAt, aRow, aColumn, packed, bias, biasAt, _, ...rest) =>
        kernel.multiply(m, a, aAt, aRow, aColumn, packed, bias, biasAt, 'none', ...rest),
    }),
  };
  const { disagreements } = await verifyGpu(matmulSpec, plainly, gpu);
  t.match(disagreements, [{ operation: 'matmul', variant: 'gpu', mode: 'cpu', output: 'c' }]);
  t.match(
    describe(disagreements[0]!),
    /^matmul, gpu \(cpu\), \{.*"activation":"(relu|swish)".*tolerance 0\.000002$/,
  );
  const throwing = {
    ...matmulGpu,
    load: (): typeof kernel => ({
      ...kernel,
      multiply() {
        throw new Error('no device');
      },
    }),
  };
  const { disagreements: failed, calls } = await verifyGpu(matmulSpec, throwing, gpu, { sizes: 2 });
  t.equal(calls, 0);
  t.match(failed, [{ output: '', message: 'failed: no device' }]);
});

t.test('a tolerance of its own has a reason', async (t) => {
  t.equal(GPU_MODES.length, 4);
  for (const any of kernelSpecs) {
    any.visit((spec) => {
      t.ok(gpuTolerance(spec) >= spec.tolerance, spec.name);
      if (spec.gpuTolerance) t.ok(spec.gpuTolerance.reason.length > 20, spec.name);
    });
  }
});
