/** Every variant of every kernel against its formula in float64, on every size of its spec. */
import '../support/relaxed.js';
import t from 'tap';
import { checkKernel, describe, type KernelCase, verifyVariant } from '../../kernels/check/index.js';
import { kernelSpecs } from '../../kernels/index.js';
import { matmulReference } from '../../kernels/matmul/reference.js';
import { matmulSpec } from '../../kernels/matmul/spec.js';

for (const any of kernelSpecs) {
  any.visit((spec) => {
    for (const variant of spec.variants) {
      const unavailable = variant.available();
      const name = `${spec.name}, ${variant.name}: within ${spec.tolerance} of float64`;
      t.test(name, { skip: unavailable === true ? false : unavailable }, async (t) => {
        const { calls, disagreements } = await verifyVariant(spec, variant);
        t.same(disagreements.map(describe), []);
        t.ok(calls >= 3 * spec.sizes.length && calls > 0, `${calls} calls`);
      });
    }

    t.test(`${spec.name}: costs of its workloads`, async (t) => {
      for (const { name, sizes } of spec.workloads) {
        const { operations, bytes } = spec.cost(sizes);
        t.ok(operations > 0 && bytes > 0, `${name}: ${operations} operations, ${bytes} bytes`);
      }
    });
  });
}

t.test('the harness sees a kernel that is wrong', async (t) => {
  const sizes = { m: 4, n: 5, k: 3 };
  const spread: KernelCase = { seed: 2, placement: { offset: 5, gap: 3 } };
  const spoilt = (
    spoil: (a: Float32Array, aAt: number, c: Float32Array, at: number, row: number) => void,
  ) => ({
    ...matmulReference,
    multiply: (...args: Parameters<typeof matmulReference.multiply>) => {
      matmulReference.multiply(...args);
      spoil(args[1], args[2], args[10], args[11], args[12]);
    },
  });
  const broken = {
    'c[0] is': spoilt((_, __, c, at) => {
      c[at]! *= 1.001;
    }),
    'memory outside c was changed at element 34': spoilt((_, __, c, at, row) => {
      c[at + 3 * row + 5] = 0;
    }),
    'memory outside c was changed at element 10': spoilt((_, __, c, at) => {
      c[at + 5] = 0;
    }),
    'input a was changed at element 5': spoilt((a, at) => {
      a[at] = 2;
    }),
    'c[0] is NaN rather than': spoilt((_, __, c, at) => {
      c[at] = Number.NaN;
    }),
  };
  t.same((await checkKernel(matmulSpec, matmulReference, sizes, spread)).complaints, []);
  for (const [what, kernel] of Object.entries(broken)) {
    const { complaints } = await checkKernel(matmulSpec, kernel, sizes, spread);
    t.match(complaints, [{ message: what }], what);
    t.equal(complaints.length, 1);
  }
});

t.test('a verdict names the call that is furthest off, and a kernel that throws', async (t) => {
  const off = {
    ...matmulReference,
    multiply: (...args: Parameters<typeof matmulReference.multiply>) => {
      matmulReference.multiply(...args);
      // Rows from the third on.
      if (args[0] > 2) args[10][args[11] + 2 * args[12]]! += args[0];
    },
  };
  const variant = { ...matmulSpec.variants[0]!, load: () => off };
  const { disagreements, error } = await verifyVariant(matmulSpec, variant);
  t.match(disagreements, [{ operation: 'matmul', variant: 'reference', output: 'c', tolerance: 2e-6 }]);
  t.equal(disagreements[0]!.error, error);
  t.match(describe(disagreements[0]!), /^matmul, reference, \{"m":.*: c\[\d+\] is .*; largest error of c: /);
  const bad = await verifyVariant(matmulSpec, {
    ...variant,
    load: () => ({
      ...off,
      multiply() {
        throw new Error('no such thing');
      },
    }),
  });
  t.match(bad.disagreements, [{ output: '', message: 'failed: no such thing' }]);
});
