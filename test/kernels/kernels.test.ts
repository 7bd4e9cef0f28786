/** Every variant of every kernel against its formula in float64, on every size of its spec. */
import '../support/relaxed.js';
import t from 'tap';
import { kernelSpecs } from '../../kernels/index.js';
import { matmulReference } from '../../kernels/matmul/reference.js';
import { matmulSpec } from '../../kernels/matmul/spec.js';
import { complaints, type KernelCase } from '../support/kernel-harness.js';

const dense: KernelCase = { seed: 1, placement: { offset: 0, gap: 0 } };
const spread: KernelCase = { seed: 2, placement: { offset: 5, gap: 3 } };
const resident: KernelCase = { seed: 3, placement: { offset: 3, gap: 2, inKernelMemory: true } };

for (const any of kernelSpecs) {
  any.visit((spec) => {
    for (const variant of spec.variants) {
      const unavailable = variant.available();
      const name = `${spec.name}, ${variant.name}: within ${spec.tolerance} of float64`;
      t.test(name, { skip: unavailable === true ? false : unavailable }, async (t) => {
        const kernel = variant.load();
        const check = async (what: string, sizes: object, test: KernelCase) => {
          const found = await complaints(spec, kernel, sizes as never, test);
          if (found.length > 0) t.fail(`${what}, ${JSON.stringify(sizes)}: ${found.join('; ')}`);
        };
        for (const sizes of spec.sizes) {
          await check('dense', sizes, dense);
          await check('offsets and gaps', sizes, spread);
          await check('in kernel memory', sizes, resident);
          for (const inPlace of spec.inPlace ?? []) {
            await check(`${inPlace[0]} in place of ${inPlace[1]}`, sizes, { ...spread, inPlace });
            await check(`${inPlace[0]} in place there`, sizes, { ...resident, inPlace });
          }
          if (!spec.nonFinite) continue;
          for (const special of [Number.NaN, Infinity, -Infinity]) {
            await check(`${special} in the first input`, sizes, { ...dense, special });
          }
        }
        t.ok(spec.sizes.length > 0, `${spec.sizes.length} sizes`);
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
    'a result off by a thousandth': spoilt((_, __, c, at) => {
      c[at]! *= 1.001;
    }),
    'a write past the end': spoilt((_, __, c, at, row) => {
      c[at + 3 * row + 5] = 0;
    }),
    'a write between rows': spoilt((_, __, c, at) => {
      c[at + 5] = 0;
    }),
    'a changed input': spoilt((a, at) => {
      a[at] = 2;
    }),
    'NaN where a number belongs': spoilt((_, __, c, at) => {
      c[at] = Number.NaN;
    }),
  };
  t.same(await complaints(matmulSpec, matmulReference, sizes, spread), []);
  for (const [what, kernel] of Object.entries(broken)) {
    t.not((await complaints(matmulSpec, kernel, sizes, spread)).length, 0, what);
  }
});
