/**
 * npm run bench:catalogue: measures every variant of every kernel on the last workload of its spec, the largest, and
 * writes the table at the end of kernels/README.md. What stands above the mark there is written by hand.
 */
import '../test/support/relaxed.js';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useThreads } from '../src/ops/index.js';
import { repository } from '../test/support/shared.js';
import { type CatalogueRow, catalogueRows, MARK, renderCatalogue } from './catalogue-table.js';
import { timeKernels, titleOf } from './kernels.js';
import { measurePeak } from './peak.js';
import { describeMachine, thisMachine } from './report.js';

const SECONDS = 0.5;

useThreads(1);

const rows = catalogueRows();
const titles = new Set(rows.map(({ kernel, variant, workload }) => titleOf(kernel, variant, workload)));
const timed = new Map<string, CatalogueRow['measured']>();
for await (const timing of timeKernels((title) => titles.has(title), SECONDS)) {
  const { kernel, variant } = timing;
  console.log(`${kernel}, ${variant}`);
  timed.set(`${kernel} ${variant}`, 'reason' in timing ? timing.reason : timing);
}
const peaks = { simd: measurePeak('simd'), relaxed: measurePeak('relaxed') };
const machine = `${describeMachine(thisMachine())}, ${new Date().toISOString().slice(0, 10)}`;

const file = join(repository, 'kernels/README.md');
const text = readFileSync(file, 'utf8');
const table = renderCatalogue(
  rows.map((row) => ({ ...row, measured: timed.get(`${row.kernel} ${row.variant}`) })),
  peaks,
  machine,
);
writeFileSync(file, `${text.slice(0, text.indexOf(MARK))}${table}`);
console.log(`written: ${file}`);
