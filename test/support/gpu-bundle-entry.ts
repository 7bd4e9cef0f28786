/** Every GPU variant in modes without a GPU, on some sizes: what minifiers and coverage tools make something else of. */
import { describe, verifyGpu } from '../../kernels/check/index.js';
import { openGpu } from '../../kernels/gpu/index.js';
import { kernelSpecs } from '../../kernels/index.js';

for (const mode of ['cpu', 'webasm'] as const) {
  const gpu = await openGpu(mode);
  let calls = 0;
  for (const any of kernelSpecs) {
    await any.visit(async (spec) => {
      if (!spec.gpu) return;
      const verdict = await verifyGpu(spec, spec.gpu, gpu, { sizes: 3, inTurn: true });
      calls += verdict.calls;
      for (const wrong of verdict.disagreements) console.log(describe(wrong));
    });
  }
  await gpu.dispose();
  console.log(`${mode}: ${calls} calls`);
}
