import t from 'tap';
import type { GpuTiming, PlaceTimings, Rung } from '../../bench/gpu/place.js';
import { crossover, findings, MARK, ratio, renderReport } from '../../bench/gpu/render.js';
import { LADDER, SELECTION, unknownNames } from '../../bench/gpu/selection.js';
import { sample } from '../../bench/sample.js';
import type { Summary } from '../../bench/statistics.js';
import { kernelSpecs } from '../../kernels/index.js';

const took = (seconds: number): Summary => ({ best: seconds, median: seconds, spread: 0, samples: 3 });

const timing = (simd: number | null, whole: number, device: number): GpuTiming => ({
  operation: 'matmul',
  workload: 'some',
  operations: 2e6,
  launches: 1,
  reference: took(10),
  simd: simd === null ? null : took(simd),
  whole: took(whole),
  device: took(device),
});

const rung = (side: number, simd: number, whole: number): Rung => ({ side, ...timing(simd, whole, whole) });

t.test('what is timed are workloads that there are', async (t) => {
  t.same(unknownNames(), []);
  const withGpu = kernelSpecs.filter((any) => any.visit(({ gpu }) => gpu !== undefined));
  t.same(
    withGpu.filter(({ name }) => !(name in SELECTION)).map(({ name }) => name),
    [],
    'some of every operation that has a GPU variant',
  );
  t.same(
    LADDER,
    [...LADDER].sort((a, b) => a - b),
  );
});

t.test('the size from which a mode wins', async (t) => {
  const whole = ({ whole }: Rung) => whole;
  const ladder = (...wins: boolean[]) => wins.map((win, i) => rung(16 << i, 1, win ? 0.5 : 2));
  t.equal(crossover(ladder(false, false, true, true), whole), 64);
  t.equal(crossover(ladder(true, true), whole), 16);
  t.equal(crossover(ladder(false, true, false), whole), null, 'not by one size between');
  t.equal(crossover(ladder(true, false, true), whole), 64);
  t.equal(crossover([], whole), null);
});

const place: PlaceTimings = {
  mode: 'webgpu',
  device: 'a device',
  timings: [timing(1, 2, 0.5), timing(null, 5, 20)],
  ladder: [rung(16, 1, 3), rung(32, 1, 0.5)],
  transfers: [{ numbers: 1000, upload: took(0.004), readback: took(0.001) }],
};

t.test('the report', async (t) => {
  const said = findings(place);
  // Without SIMD, the reference is what a mode is compared with.
  t.match(said, 'in 1 as a whole call, in 1 on the device alone');
  t.match(said, 'faster than SIMD from 32 x 32 on');
  const never = findings({ ...place, ladder: [rung(16, 1, 3)] });
  t.match(never, 'never faster than SIMD here, and 3.0 times slower at the largest, 16 x 16');
  const report = renderReport('a machine', [
    { name: 'Node, webgpu', found: place },
    { name: 'Chromium, webgl2', found: 'no Chromium' },
  ]);
  t.ok(report.startsWith(MARK));
  t.match(report, '| matmul | some | 2.0 | 1 | 10.00 s | 1.00 s | 2.00 s | 500.00 ms | 2.0 | 0.50 |');
  t.match(report, '| matmul | some | 2.0 | 1 | 10.00 s |  | 5.00 s | 20.00 s | 0.50 | 2.0 |');
  t.match(report, '| 1,000 | 4.00 ms | 1 | 1.00 ms | 4 |');
  t.match(report, 'Not here: no Chromium.');
  t.same([0.042, 3.21, 42.4].map(ratio), ['0.04', '3.2', '42']);
});

t.test('samples of work, at once and later', async (t) => {
  let runs = 0;
  const atOnce = await sample(() => {
    runs++;
  }, 0.01);
  t.ok(atOnce.samples >= 3, `${atOnce.samples} samples`);
  t.ok(runs > atOnce.samples, 'work that is too short for the clock runs several times for a sample');
  const later = await sample(() => new Promise((resolve) => setTimeout(resolve, 20)), 0.05);
  t.ok(later.best >= 0.019, `${later.best} s`);
  await t.rejects(
    sample(() => Promise.reject(new Error('it failed')), 0.01),
    /it failed/,
  );
});
