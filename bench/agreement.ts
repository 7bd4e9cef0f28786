/**
 * npm run bench:agreement: runs the GPU variants of all operations in every mode that runs here, in Node and in
 * Chromium, against float64, and writes the table in kernels/README.md. Exits with 1 where one is wrong. Modes without
 * a GPU are called in all ways on all sizes; WebGL and WebGPU, which may be software here, on each size in one way.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '../kernels/check/index.js';
import { GPU_MODES, type GpuMode } from '../kernels/gpu/index.js';
import { noChromium } from '../test/support/chromium.js';
import { gpuRunInNode, gpuRunsInChromium } from '../test/support/gpu-places.js';
import type { GpuRun } from '../test/support/gpu-verdicts.js';
import { repository } from '../test/support/shared.js';
import { AGREEMENT, type AgreementColumn, renderAgreement } from './agreement-table.js';
import { describeMachine, thisMachine } from './report.js';

function column(title: string, run: GpuRun | string): AgreementColumn {
  console.log(typeof run === 'string' ? `${title}: ${run}` : `${title}, ${run.device}`);
  return typeof run === 'string'
    ? { title, device: run, verdicts: null }
    : { title, device: run.device, verdicts: run.verdicts };
}

const columns: AgreementColumn[] = [];
for (const mode of GPU_MODES) {
  const isGpu = mode === 'webgl2' || mode === 'webgpu';
  columns.push(column(`Node ${mode}`, await gpuRunInNode(mode, { inTurn: isGpu })));
}
const browserModes: readonly GpuMode[] = ['webgl2', 'webgpu'];
if (noChromium === false) {
  const { version, runs } = await gpuRunsInChromium(browserModes, { inTurn: true });
  for (const [mode, run] of runs) columns.push(column(`Chromium ${version.split('.')[0]} ${mode}`, run));
} else {
  for (const mode of browserModes) columns.push(column(`Chromium ${mode}`, noChromium));
}

const machine = `${describeMachine(thisMachine())}, ${new Date().toISOString().slice(0, 10)}`;
const file = join(repository, 'kernels/README.md');
const text = readFileSync(file, 'utf8');
const [begin, end] = [text.indexOf(AGREEMENT.begin), text.indexOf(AGREEMENT.end)];
if (begin < 0 || end < begin) throw new Error(`${file} has no marks for the table`);
const after = text.slice(end + AGREEMENT.end.length);
writeFileSync(file, `${text.slice(0, begin)}${renderAgreement(columns, machine)}${after}`);
console.log(`written: ${file}`);

const wrong = columns.flatMap(
  ({ verdicts }) => verdicts?.flatMap(({ disagreements }) => disagreements) ?? [],
);
for (const each of wrong) console.error(describe(each));
if (wrong.length > 0) process.exitCode = 1;
