/** Every variant of every kernel against its formula in float64, on every size of its spec. */
import t from 'tap';
import { kernelSpecs } from '../../kernels/index.js';
import { matmulReference } from '../../kernels/matmul/reference.js';
import { matmulSpec } from '../../kernels/matmul/spec.js';
import { complaints, type KernelCase } from '../support/kernel-harness.js';

const dense: KernelCase = { seed: 1, placement: { offset: 0, gap: 0 } };
const spread: KernelCase = { seed: 2, placement: { offset: 5, gap: 3 } };

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
          for (const inPlace of spec.inPlace ?? []) {
            await check(`${inPlace[0]} in place of ${inPlace[1]}`, sizes, { ...spread, inPlace });
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
  const broken: Record<string, typeof matmulReference> = {
    'a result off by a thousandth': (...args) => {
      matmulReference(...args);
      args[14][args[15]]! *= 1.001;
    },
    'a write past the end': (...args) => {
      matmulReference(...args);
      args[14][args[15] + 3 * args[16] + 5] = 0;
    },
    'a write between rows': (...args) => {
      matmulReference(...args);
      args[14][args[15] + 5] = 0;
    },
    'a changed input': (...args) => {
      args[3][args[4]] = 2;
      matmulReference(...args);
    },
    'NaN where a number belongs': (...args) => {
      matmulReference(...args);
      args[14][args[15]] = Number.NaN;
    },
  };
  t.same(await complaints(matmulSpec, matmulReference, sizes, spread), []);
  for (const [what, kernel] of Object.entries(broken)) {
    t.not((await complaints(matmulSpec, kernel, sizes, spread)).length, 0, what);
  }
});
