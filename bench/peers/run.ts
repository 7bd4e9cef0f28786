/**
 * npm run bench:peers -- [--filter words] [--rounds n] [--relaxed] [--out file]: this project beside onnxruntime-web,
 * tfjs, jax-js, pffft and native onnxruntime-node, in one process, in interleaved rounds. The peers are installed in
 * bench/peers/node_modules by the first run. A whole run writes bench/RESULTS.md; one with a filter prints its
 * tables. A filter is words that must all be in a name. On a machine that others use: taskset -c 1 npm run ...
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { repository } from '../../test/support/shared.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    filter: { type: 'string', default: '' },
    rounds: { type: 'string', default: '15' },
    relaxed: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const filter = [values.filter, ...positionals].join(' ').trim();
const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${values.rounds}; use 1 or more`);
// Before any WebAssembly is compiled; engines from Node 22 on have it by themselves.
if (values.relaxed) setFlagsFromString('--experimental-wasm-relaxed-simd');

const { cases, titleOf } = await import('./cases/index.js');
const START_UP = 'device half: a fresh process';
/** As one types it: × is x, → is to. */
const plain = (title: string) => title.toLowerCase().replaceAll('×', 'x').replaceAll('→', 'to');
const wanted = (title: string) => words.every((word) => plain(title).includes(plain(word)));
const chosen = cases.filter((each) => wanted(titleOf(each)));

if (chosen.length === 0 && !wanted(START_UP)) {
  console.error(
    `nothing is named "${filter}". There are\n  ${[...cases.map(titleOf), START_UP].join('\n  ')}`,
  );
  process.exitCode = 1;
} else {
  await run();
}

async function run(): Promise<void> {
  const { fastestPeak } = await import('../peak.js');
  const { describeMachine, thisMachine, time } = await import('../report.js');
  const { observed } = await import('../sink.js');
  const { createRandom } = await import('../../src/tensor/index.js');
  const { compare, isOurs, ratiosTo } = await import('./compare.js');
  const { startUp } = await import('./fresh.js');
  const { loadPeers } = await import('./load.js');
  const { markdown } = await import('./results.js');
  const { judge } = await import('./targets.js');

  const { useThreads } = await import('../../src/ops/index.js');
  useThreads(1);
  const machine = thisMachine();
  console.log(describeMachine(machine));
  const loaded = await loadPeers(console.log);
  for (const { package: name, version } of loaded.versions) console.log(`  ${name} ${version}`);
  for (const { name, reason } of loaded.missing) console.log(`  without ${name}: ${reason}`);

  const peaks = Object.fromEntries(
    (['simd', 'relaxed'] as const).flatMap((name) => {
      const fastest = fastestPeak(name);
      return fastest === null ? [] : [[name, fastest]];
    }),
  );
  const options = { rounds, sampleSeconds: 0.01, random: createRandom(1) };
  const results = [];
  for (const [at, each] of chosen.entries()) {
    const result = await compare(each, loaded.peers, peaks, options);
    results.push(result);
    const ours = result.ours.map(({ name, took }) => `${name} ${time(took.best)}`).join(', ');
    const [first] = result.ours;
    const ratios = first ? [...ratiosTo(first, result)] : [];
    const shown = ratios.map(([name, value]) => `${name} ${value.toFixed(2)} ×`);
    console.log(`[${at + 1}/${chosen.length}] ${[titleOf(each), ours, ...shown].join('  ')}`);
    for (const { name, reason } of result.failed) {
      console.log(`    without ${name}: ${reason}`);
      if (isOurs(name)) process.exitCode = 1;
    }
  }
  const started = wanted(START_UP) ? startUp(5) : null;

  const best = new Map<string, number>();
  for (const { peaks: found } of results) {
    for (const [name, seconds] of found) {
      best.set(name, Math.max(best.get(name) ?? 0, 1e-9 / Math.min(...seconds)));
    }
  }
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    version: string;
  };
  const report = markdown({
    date: new Date(),
    version,
    machine,
    peaks: best,
    loaded,
    results,
    started,
    verdicts: judge(results, started),
    rounds,
    filter,
  });
  const out = values.out ?? (filter === '' ? join(repository, 'bench/RESULTS.md') : null);
  if (out === null) console.log(`\n${report}`);
  else writeFileSync(out, report);
  console.log(`${out === null ? '' : `written: ${out}; `}sum over all results: ${observed()}`);
}
