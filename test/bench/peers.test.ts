/** The comparison with peers, without peers: its rounds, checks and report, and the models that it writes. */
import t from 'tap';
import type { Candidate, Entry } from '../../bench/peers/candidates.js';
import { type Case, permuted, transposed } from '../../bench/peers/cases/case.js';
import { cases, titleOf } from '../../bench/peers/cases/index.js';
import { bestScriptRatio, compare, ratiosTo, shareOfPeak } from '../../bench/peers/compare.js';
import { OnnxGraph } from '../../bench/peers/onnx.js';
import { markdown } from '../../bench/peers/results.js';
import { interleave } from '../../bench/peers/rounds.js';
import { judge } from '../../bench/peers/targets.js';
import { thisMachine } from '../../bench/report.js';
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import { createRandom } from '../../src/tensor/index.js';

const options = { rounds: 3, sampleSeconds: 1e-4, random: createRandom(1) };

function busy(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

/** A candidate that takes a while and gives `result`. */
const entry = (
  name: string,
  milliseconds: number,
  result: readonly number[],
  closed: string[] = [],
): Entry => ({
  name,
  build: (): Candidate => ({
    run: () => busy(milliseconds),
    result: async () => result,
    close: () => void closed.push(name),
  }),
});

const caseOf = (entries: readonly Entry[]): Case => ({
  group: 'matmul',
  name: 'made up',
  operations: 1e6,
  entries: () => entries,
});

t.test('rounds run everyone, and who is slow less often', async (t) => {
  const runs = new Map<string, number>();
  const runner = (name: string, milliseconds: number) => ({
    name,
    run: () => {
      runs.set(name, (runs.get(name) ?? 0) + 1);
      return milliseconds > 100
        ? new Promise<void>((done) => setTimeout(done, milliseconds))
        : busy(milliseconds);
    },
  });
  const samples = await interleave([runner('quick', 0.2), runner('slow', 700)], options);
  t.ok(samples.get('quick')!.every((seconds) => seconds >= 2e-4 && seconds < 0.5));
  const slow = samples.get('slow')!;
  t.equal(slow.filter((seconds) => !Number.isNaN(seconds)).length, 2, 'two rounds of 0.7 s are enough');
  t.ok(slow[0]! > 0.65);
  t.equal(runs.get('slow'), 3, 'one to warm up');
});

t.test('a case is checked, timed and closed', async (t) => {
  const closed: string[] = [];
  const broken: Entry = {
    name: 'jax-js',
    build: () => {
      throw new Error('no such operation\nand more');
    },
  };
  const entries = [
    entry('acom simd', 1, [1, 2, 3], closed),
    entry('ort-web', 4, [1, 2, 3.0001], closed),
    entry('ort-node', 0.2, [1, 2, 3], closed),
    entry('tfjs-wasm', 1, [1, 2, 4], closed),
    broken,
  ];
  const mark = kernelMemory()?.mark();
  const result = await compare(caseOf(entries), {}, {}, options);
  t.equal(kernelMemory()?.mark(), mark, 'the stack of the kernels is as it was');
  t.same(closed, ['acom simd', 'ort-web', 'ort-node', 'tfjs-wasm']);
  t.same(
    result.peers.map(({ name }) => name),
    ['ort-web', 'ort-node'],
  );
  t.match(result.failed, [
    { name: 'tfjs-wasm', reason: /3\.3e-1 of the range/ },
    { name: 'jax-js', reason: 'no such operation' },
  ]);
  const ratios = ratiosTo(result.ours[0]!, result);
  t.ok(ratios.get('ort-web')! > 1.5 && ratios.get('ort-node')! < 0.9);
  t.equal(bestScriptRatio(ratios), ratios.get('ort-web'), 'native code is no script');
  t.equal(shareOfPeak(result.ours[0]!, result), null, 'no peak was measured');
});

t.test('a case whose own side fails has no comparison', async (t) => {
  const failing: Entry = {
    name: 'acom simd',
    build: () => {
      throw new Error('broken');
    },
  };
  const result = await compare(caseOf([failing, entry('ort-web', 1, [1])]), {}, {}, options);
  t.same([result.ours, result.peers], [[], []]);
  t.same(
    result.failed.map(({ name }) => name),
    ['acom simd', 'ort-web'],
  );
});

t.test('indices may differ where codewords are equally near, but for few', async (t) => {
  const ours = Array.from({ length: 200 }, (_, i) => i);
  const one = ours.map((index, i) => (i === 7 ? 0 : index));
  const many = ours.map((index, i) => (i < 50 ? 0 : index));
  const entries = [entry('acom simd', 0.1, ours), entry('ort-web', 0.1, one), entry('jax-js', 0.1, many)];
  const result = await compare({ ...caseOf(entries), indices: true }, {}, {}, options);
  t.match(result.peers, [{ name: 'ort-web' }]);
  t.match(result.failed, [{ name: 'jax-js', reason: /24\.5 % of its indices/ }]);
});

t.test('the share of the peak is taken round by round, and targets and report know it', async (t) => {
  const peak = { operations: 1e6, run: () => busy(0.5) };
  const entries = [entry('acom simd', 1, [1]), entry('ort-web', 4, [1]), entry('ort-node', 2, [1])];
  const result = await compare(caseOf(entries), {}, { simd: peak }, { ...options, rounds: 7 });
  const share = shareOfPeak(result.ours[0]!, result)!;
  t.ok(share > 0 && share < 1, `${share}`);
  const verdicts = judge([result], null);
  t.match(verdicts, [
    { what: 'share of the SIMD peak (simd)', reached: false },
    { what: 'speed against the best JavaScript or WebAssembly peer', reached: true },
  ]);
  const started = {
    importing: 40,
    loading: 30,
    firstSecond: 50,
    tenSeconds: 30,
    bareBytes: 4e7,
    peakBytes: 1.3e8,
  };
  t.same(
    judge([], started).map(({ found, reached }) => [found, reached]),
    [
      ['80 ms', true],
      ['130 MB', false],
    ],
  );
  const report = markdown({
    date: new Date(0),
    version: '1.2.3',
    machine: thisMachine(),
    peaks: new Map([['simd', 2]]),
    loaded: { versions: [], missing: [{ name: 'jax-js', reason: 'it is not installed' }] },
    results: [result],
    started,
    verdicts,
    rounds: 7,
    filter: 'made up',
  });
  t.match(report, /\| date \| 1970-01-01 00:00 \|/);
  t.match(report, /jax-js \| missing: it is not installed/);
  t.match(report, /Targets: 1 of 2 reached/);
  t.match(report, /\| made up \| simd \| \d+\.\d\d ms/);
});

t.test('axes change places', async (t) => {
  t.same([...transposed([1, 2, 3, 4, 5, 6], 2, 3)], [1, 4, 2, 5, 3, 6]);
  const image = Array.from({ length: 24 }, (_, i) => i);
  const turned = permuted(image, [2, 3, 4], [2, 0, 1]);
  t.equal(turned[1 * 6 + 1 * 3 + 2], 1 * 12 + 2 * 4 + 1, '[c, y, x] of [y, x, c]');
});

t.test('every case has a name of its own', async (t) => {
  t.equal(new Set(cases.map(titleOf)).size, cases.length);
  t.ok(cases.length > 25);
});

t.test('an ONNX model, byte for byte as onnxruntime reads it', async (t) => {
  const graph = new OnnxGraph();
  const y = graph.node('Softmax', [graph.input('x', [2, 300])], { axis: { int: -1 } });
  graph.output('y', graph.node('Mul', [y, graph.number(2)]), [2, 300]);
  const golden = [
    '0808120461636f6d', // version 8 of the format, written by acom
    '3a8f01', // a graph of 143 bytes
    '0a260a0178120276302207536f66746d6178', // x -> v0, Softmax
    '2a140a046178697318ffffffffffffffffff01a00102', // axis -1 in 64 bits, the kind of the attribute
    '0a110a0276300a0276311202763222034d756c', // v0, v1 -> v2, Mul
    '0a110a02763212017922084964656e74697479', // v2 -> y, Identity
    '12056772617068', // its name is graph
    '2a0c1001420276314a0400000040', // v1 is a float, 2
    '5a140a0178120f0a0d080112090a0208020a0308ac02', // x [2, 300]
    '62140a0179120f0a0d080112090a0208020a0308ac02', // y [2, 300]
    '42021011', // operators of version 17
  ];
  t.equal(Buffer.from(graph.bytes()).toString('hex'), golden.join(''));
});
