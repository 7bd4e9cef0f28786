/** The table of GPU variants in kernels/README.md is of the operations that there are, and right in what it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AGREEMENT, gpuOperations, renderAgreement } from '../../bench/agreement-table.js';
import { digits, type Verdict } from '../../kernels/check/index.js';
import { repository } from '../support/shared.js';

t.test('every operation is in kernels/README.md, within its tolerance wherever it was run', async (t) => {
  const text = readFileSync(join(repository, 'kernels/README.md'), 'utf8');
  const part = text.slice(text.indexOf(AGREEMENT.begin), text.indexOf(AGREEMENT.end));
  const { with: operations, without } = gpuOperations();
  const rows = [...part.matchAll(/^\| ([a-z][a-z0-9-]*) \| (\S+) \|(.*)\|$/gm)];
  const named = rows.map(([, name]) => name).filter((name) => name !== 'operation');
  t.same(named, [...operations.keys()], 'run npm run bench:agreement');
  for (const [, name, tolerance, cells] of rows) {
    const expected = operations.get(name!);
    if (expected === undefined) continue;
    t.equal(tolerance, digits(expected), `${name}`);
    const errors = cells!.split('|').map((cell) => cell.trim());
    t.ok(errors.length >= 3, `${name}: ${errors.length} modes`);
    for (const error of errors) t.ok(error !== '' && Number(error) <= expected, `${name}: ${error}`);
  }
  for (const name of without) t.match(part, new RegExp(`No GPU variant: .*\\b${name}\\b`));
  t.match(part, /Node webgl2: not run: WebGL 2 is for browsers/);
});

t.test('an error, a mode that did not run, a disagreement', async (t) => {
  const verdict = { operation: 'matmul', variant: 'gpu', calls: 3, tolerance: 2e-6 } as const;
  const right: Verdict = { ...verdict, error: 1.26e-7, disagreements: [] };
  const wrong: Verdict = { ...verdict, error: 0.5, disagreements: [{} as never] };
  const table = renderAgreement(
    [
      { title: 'here', device: 'a card', verdicts: [right] },
      { title: 'there', device: 'no driver', verdicts: null },
      { title: 'elsewhere', device: 'another', verdicts: [wrong] },
    ],
    'a machine',
  );
  t.match(table, '| operation | tolerance | here | elsewhere |');
  t.match(table, '| matmul | 2.0e-6 | 1.3e-7 | **wrong: 5.0e-1** |');
  t.match(table, '- here: a card, 3 calls.');
  t.match(table, '- there: not run: no driver.');
});
