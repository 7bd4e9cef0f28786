/** kernels/README.md lists what there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { catalogueRows, MARK, renderCatalogue } from '../../bench/catalogue-table.js';
import { repository } from '../support/shared.js';

t.test('every variant of every kernel is in kernels/README.md as it is now', async (t) => {
  const text = readFileSync(join(repository, 'kernels/README.md'), 'utf8');
  const generated = text.slice(text.indexOf(MARK));
  const rows = catalogueRows();
  for (const { kernel, variant, summary, formula, tolerance, workload } of rows) {
    const from = generated.indexOf(`\n### ${kernel}\n`);
    t.ok(from >= 0, kernel);
    const part = generated.slice(from, generated.indexOf('\n### ', from + 1));
    t.ok(part.includes(`\`${formula}\`, within ${tolerance} of`), `${kernel}: formula and tolerance`);
    t.ok(part.includes(`Timed: ${workload}.`), `${kernel}: workload`);
    t.ok(part.includes(`| ${variant} | ${summary} |`), `${kernel}, ${variant}: run npm run bench:catalogue`);
  }
  const sections = generated.match(/^### /gm) ?? [];
  t.equal(sections.length, new Set(rows.map(({ kernel }) => kernel)).size, 'and nothing else');
});

t.test('a row with a timing', async (t) => {
  const took = { median: 2e-3, spread: 0.1, samples: 9 };
  const timing = { kernel: 'k', workload: 'w', operations: 4e7, bytes: 1, took: took as never };
  const row = { kernel: 'k', summary: 's', formula: 'f', tolerance: 1e-6, workload: 'w' };
  const table = renderCatalogue(
    [
      {
        ...row,
        variant: 'reference',
        measured: { ...timing, variant: 'reference', took: { ...took, median: 8e-3 } as never },
      },
      { ...row, variant: 'simd', measured: { ...timing, variant: 'simd' } },
      { ...row, variant: 'relaxed', measured: 'not on this engine' },
    ],
    { simd: 4e10, relaxed: null },
    'a machine',
  );
  t.match(table, '| simd | s | 2.00 ms | 20.0 | 50 % | 4.0 |');
  t.match(table, '| relaxed | s | not on this engine | | |');
});
