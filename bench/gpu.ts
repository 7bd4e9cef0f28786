/**
 * npm run bench:gpu -- [--seconds n] [--only words]: the GPU variants in every mode that runs here, each beside reference
 * and SIMD in the same process or page. Writes the tables of bench/GPU.md; with --only, prints those of the places whose
 * names hold all the words. What stands above the mark in GPU.md is written by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { GpuMode } from '../kernels/gpu/index.js';
import { bundleForPage, noChromium, onPage } from '../test/support/chromium.js';
import { answerOfChild } from '../test/support/gpu-places.js';
import { repository } from '../test/support/shared.js';
import type { PlaceTimings } from './gpu/place.js';
import { MARK, type Place, renderReport } from './gpu/render.js';
import { unknownNames } from './gpu/selection.js';
import { describeMachine, thisMachine } from './report.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '0.08' }, only: { type: 'string', default: '' } },
});
const budget = Number(values.seconds);
if (!(budget > 0)) throw new Error(`--seconds is ${values.seconds}; use a number above 0`);
const unknown = unknownNames();
if (unknown.length > 0)
  throw new Error(`bench/gpu/selection.ts names what no spec has: ${unknown.join('; ')}`);
const words = values.only.split(/\s+/);

type Found = PlaceTimings | string;
let chromiumVersion = 'no Chromium';

const inNode = (mode: GpuMode): Promise<Found> =>
  answerOfChild<Found>('bench/gpu/child.js', [mode, String(budget)]);

let bundled: Promise<string> | null = null;

async function inChromium(mode: GpuMode): Promise<Found> {
  if (noChromium) return noChromium;
  bundled ??= bundleForPage("export { timePlace } from './dist/bench/gpu/place.js';");
  return onPage(await bundled, {}, async (page) => {
    chromiumVersion = `Chromium ${page.context().browser()?.version()}, headless`;
    return page.evaluate(
      async ([mode, budget]) => {
        const { timePlace } = await import(String('/script.js'));
        return timePlace(mode, budget) as Promise<Found>;
      },
      [mode, budget] as const,
    );
  });
}

const all: readonly (readonly [name: string, run: () => Promise<Found>])[] = [
  ['Chromium, webgl2', () => inChromium('webgl2')],
  ['Chromium, webgpu', () => inChromium('webgpu')],
  ['Node, webgpu', () => inNode('webgpu')],
  ['Node, webasm', () => inNode('webasm')],
  ['Node, cpu', () => inNode('cpu')],
];

const load = () => (loadavg()[0] ?? 0).toFixed(1);
const before = load();
const places: Place[] = [];
for (const [name, run] of all.filter(([name]) => words.every((word) => name.includes(word)))) {
  const start = Date.now();
  const found = await run();
  console.error(`${name}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
  places.push({ name, found });
}

const machine =
  `${describeMachine(thisMachine())}, ${chromiumVersion}, ${new Date().toISOString().slice(0, 10)}; load ${before} at the start, ` +
  `${load()} at the end.`;
const report = renderReport(machine, places);
if (values.only !== '') {
  console.log(report);
} else {
  const file = join(repository, 'bench/GPU.md');
  const text = readFileSync(file, 'utf8');
  const end = text.indexOf(MARK);
  if (end < 0) throw new Error(`${file} has lost the line ${MARK}`);
  writeFileSync(file, `${text.slice(0, end)}${report}`);
  console.log(`written: ${file}`);
}
