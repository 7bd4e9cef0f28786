/**
 * npm run test:oracle -- [DIR]: checks every fixture of a folder (default: the shared ones) and prints a line
 * for each with its worst error as a part of the tolerance; folders of checkpoints likewise. Exits with 1 where
 * one is outside.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { shared } from '../support/shared.js';
import { checkCheckpoints, findCheckpointFolders } from './checkpoints.js';
import { type Comparison, compareFixture, isCovered } from './checks.js';
import { findFixtures } from './fixture.js';

const folder = process.argv[2] ?? shared('oracle');
if (!existsSync(folder)) {
  console.error(`${folder}: there is no such folder; name one that holds fixtures`);
  process.exit(2);
}

const usedUp = ({ error, tolerance }: Comparison) => (error === 0 ? 0 : error / tolerance);
let [passed, failed] = [0, 0];
const uncovered: string[] = [];
for (const fixture of findFixtures(folder)) {
  if (!isCovered(fixture.kind)) {
    uncovered.push(`${fixture.name} (${fixture.kind})`);
    continue;
  }
  try {
    const comparisons = compareFixture(fixture.load());
    const worst = comparisons.reduce((a, b) => (usedUp(b) > usedUp(a) ? b : a));
    const ok = comparisons.every(({ error, tolerance }) => error <= tolerance);
    if (ok) passed++;
    else failed++;
    const verdict = ok ? 'ok  ' : 'FAIL';
    const detail = `${worst.error.toExponential(1)} of ${worst.tolerance.toExponential(0)} at ${worst.what}`;
    console.log(
      `${verdict} ${fixture.name.padEnd(34)} ${String(comparisons.length).padStart(3)} compared, worst ${detail}`,
    );
  } catch (error) {
    failed++;
    console.log(`FAIL ${fixture.name.padEnd(34)} ${error instanceof Error ? error.message : String(error)}`);
  }
}
for (const checkpoints of findCheckpointFolders(folder)) {
  const verdicts = await checkCheckpoints(checkpoints);
  const wrong = verdicts.filter(({ ok }) => !ok);
  if (wrong.length === 0) passed++;
  else failed++;
  const name = basename(checkpoints.path).padEnd(34);
  const verdict = wrong.length === 0 ? 'ok  ' : 'FAIL';
  console.log(
    `${verdict} ${name} ${verdicts.length} checkpoints, ${verdicts.length - wrong.length} as expected`,
  );
  for (const { file, detail } of wrong) console.log(`     ${file}: ${detail}`);
}
for (const name of uncovered) console.log(`--   ${name}: not covered yet`);
console.log(`${passed} fixtures within tolerance, ${failed} not, ${uncovered.length} not covered yet`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
