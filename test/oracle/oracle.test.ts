/** Golden fixtures of SpeechBrain and PyTorch: the small ones that the repository carries, and all of them. */
import { basename, join } from 'node:path';
import t from 'tap';
import { repository, shared, skipWithout } from '../support/shared.js';
import { checkCheckpoints, findCheckpointFolders } from './checkpoints.js';
import { compareFixture, isCovered } from './checks.js';
import { findFixtures } from './fixture.js';

const folders = [
  { name: 'test/fixtures/oracle', path: join(repository, 'test/fixtures/oracle'), skip: false as const },
  { name: 'shared/oracle', path: shared('oracle'), skip: skipWithout('oracle') },
];

for (const { name, path, skip } of folders) {
  t.test(name, { skip }, async (t) => {
    for (const fixture of findFixtures(path).filter(({ kind }) => isCovered(kind))) {
      t.test(fixture.name, async (t) => {
        for (const { what, error, tolerance } of compareFixture(fixture.load())) {
          t.ok(error <= tolerance, `${what}: ${error.toExponential(1)} of ${tolerance.toExponential(0)}`);
        }
      });
    }
    const checkpoints = findCheckpointFolders(path);
    t.equal(checkpoints.length, 1, 'a folder of checkpoints');
    for (const folder of checkpoints) {
      t.test(basename(folder.path), async (t) => {
        t.same(findCheckpointFolders(folder.path), [folder], 'found by its own path too');
        for (const { file, ok, detail } of await checkCheckpoints(folder)) t.ok(ok, `${file}: ${detail}`);
      });
    }
  });
}
