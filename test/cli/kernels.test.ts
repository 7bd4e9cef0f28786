/** `acom kernels`: the matrix, verification, and a kernel that is wrong. */
import t from 'tap';
import { matmulReference } from '../../kernels/matmul/reference.js';
import { matmulSpec } from '../../kernels/matmul/spec.js';
import { softmaxSpec } from '../../kernels/softmax/spec.js';
import { anyKernel, type KernelVariant } from '../../kernels/spec.js';
import { kernelReport } from '../../src/cli/kernels.js';
import { UsageError } from '../../src/tensor/index.js';
import { acom, oneLine } from '../support/cli.js';

t.test('the matrix: what runs here, and why not', async (t) => {
  const { code, stdout } = await acom(t.testdir(), 'kernels');
  t.equal(code, 0);
  t.match(stdout, /^ {2}WebAssembly SIMD +yes$/m);
  t.match(
    stdout,
    /^operation +auto +reference +simd +relaxed +gpu:webgl2 +gpu:webgpu +gpu:webasm +gpu:cpu$/m,
  );
  t.match(stdout, /^matmul +(simd|relaxed) +runs +runs .* runs +runs$/m);
  t.match(stdout, /^fourier +reference +runs +- +- +- +- +- +-$/m, 'no other variant than the reference');
  // No Node has WebGL, so at least one cell has a reason.
  const note = /^\[(\d)\] WebGL 2 is for browsers/m.exec(stdout);
  t.ok(note, stdout);
  t.match(stdout, new RegExp(`^matmul +\\w+ +runs +runs +(runs|\\[\\d\\]) +\\[${note?.[1]}\\]`, 'm'));
});

t.test('verification of operations that are named, as text and as JSON', async (t) => {
  const folder = t.testdir();
  const text = await acom(folder, 'kernels', 'softmax', '--verify', '--gpu', 'cpu');
  t.equal(text.code, 0, text.stderr);
  t.match(text.stdout, /^softmax +\w+ +1\.0e-6 +\d\.\de-\d +\d\.\de-\d .* \d\.\de-\d$/m);
  t.match(text.stdout, /^log-softmax /m);
  t.notMatch(text.stdout, /^matmul/m);
  t.match(text.stdout, /\d variants of 4 operations in [\d,]+ calls: all within tolerance of float64\n$/);
  const json = await acom(folder, 'kernels', 'layer', '--verify', '--variant', 'reference', 'simd', '--json');
  const [engine, ...lines] = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.match(engine, { node: process.version, features: { simd: true }, kernels: 'auto' });
  t.equal(lines.length, 4, 'no GPU where variants are named');
  const named = ['layer-norm', 'layer-norm-backward'].flatMap((operation) =>
    ['reference', 'simd'].map((variant) => ({ operation, variant })),
  );
  for (const [n, each] of named.entries()) {
    t.match(lines[n], { ...each, runs: true });
    const { error, tolerance, calls, disagreements } = lines[n]!['verified'] as Record<string, unknown>;
    t.ok((error as number) > 0 && (error as number) < (tolerance as number), `${error}`);
    t.ok((calls as number) > 20);
    t.same(disagreements, []);
  }
});

t.test('names that there are none of, and variants that do not run', async (t) => {
  const folder = t.testdir();
  const nothing = await acom(folder, 'kernels', 'matmul', 'matmull');
  t.equal(nothing.code, 2);
  t.ok(oneLine(nothing.stderr), nothing.stderr);
  t.match(nothing.stderr, /no operation is called "matmull"; there are matmul, conv2d, .*log-mel/);
  t.match(await acom(folder, 'kernels', '--variant', 'fast'), {
    code: 2,
    stderr: /--variant fast: use reference, simd, relaxed/,
  });
  t.match(await acom(folder, 'kernels', '--gpu', 'vulkan'), {
    code: 2,
    stderr: /use webgl2, webgpu, webasm/,
  });
  const missing = await acom(folder, 'kernels', 'fourier', '--verify', '--variant', 'simd');
  t.equal(missing.code, 1);
  t.match(missing.stdout, /simd was asked for, but does not run: no operation here has it\nnothing that was/);
  await t.rejects(kernelReport([anyKernel(matmulSpec)], ['conv'], {}), UsageError);
});

const off: KernelVariant<typeof matmulReference> = {
  ...matmulSpec.variants[0]!,
  name: 'simd',
  load: () => ({
    ...matmulReference,
    multiply(...args) {
      matmulReference.multiply(...args);
      const [m, , , , , { n }, , , , , c, at, row] = args;
      if (m === 25) c[at + 24 * row + n - 1]! += 1;
    },
  }),
};

t.test('a kernel that is wrong on one size', async (t) => {
  const specs = [
    anyKernel({ ...matmulSpec, variants: [matmulSpec.variants[0]!, off] }),
    anyKernel(softmaxSpec),
  ];
  const { lines, code } = await kernelReport(specs, [], { verify: true, gpu: false });
  t.equal(code, 1);
  const text = lines.join('\n');
  t.match(text, /^matmul +simd +2\.0e-6 +\d\.\de-\d +WRONG +-$/m);
  t.match(
    text,
    /^matmul, simd, \{"m":25,"n":96,"k":256,.*\}, .+: c\[2399\] is .* rather than .*; largest error of c: \d\.\de-\d, tolerance 0\.000002$/m,
  );
  t.match(text, /^\d+ variants of 2 operations in [\d,]+ calls: 1 is WRONG$/m);
  t.match(text, /^softmax +\w+ +1\.0e-6 +\d\.\de-\d/m, 'the others are shown all the same');
  const json = await kernelReport(specs, ['matmul'], { verify: true, gpu: false, json: true });
  t.equal(json.code, 1);
  t.match(JSON.parse(json.lines[2]!), {
    operation: 'matmul',
    variant: 'simd',
    verified: { disagreements: [{ output: 'c', sizes: { m: 25 } }] },
  });
  t.equal((await kernelReport(specs, [], { gpu: false })).code, 0, 'nothing is run without --verify');
});
