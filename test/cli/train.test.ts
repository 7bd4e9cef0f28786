/** acom train: recipes, what it says, Ctrl-C, going on. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { acom, main, messages, plainEnvironment } from '../support/cli.js';
import { repository } from '../support/shared.js';

const recipe = join(repository, 'dist/test/support/toy-recipe.js');

t.test('a run from beginning to end', async (t) => {
  const folder = t.testdir({});
  const { code, stdout, stderr } = await acom(
    folder,
    ...['train', recipe, '--data', 'here', '--out', 'run', '--seed', '5', '--workers', '1'],
  );
  t.equal(code, 0, stderr);
  t.match(stdout, /^30 steps, best score -\d/);
  const lines = stderr.trim().split('\n');
  t.equal(lines[0], 'data from here');
  t.match(
    lines.filter((line) => line.includes('score')),
    [/^step 10: score -\S+, the best so far, meanError \S+ \(0 s\)$/, /^step 20:/, /^step 30:/],
  );
  t.match(stderr, /^step 30 of 30: epoch 6, loss \S+, rate 0.01, gradient \S+, \S+ items\/s, 0 s left$/m);
  const again = await acom(folder, 'train', recipe, '--data', 'here', '--out', 'run');
  t.equal(again.code, 2);
  t.match(messages(again.stderr), [/run\/last.safetensors is there already: resume that run/]);
});

t.test('Ctrl-C ends a run with a checkpoint, and it goes on', async (t) => {
  const folder = t.testdir({});
  const child = spawn('node', [main, 'train', recipe, '--data', 'slow', '--out', 'run', '--workers', '0'], {
    cwd: folder,
    env: plainEnvironment(),
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part: Buffer) => {
    stdout += part;
  });
  child.stderr.on('data', (part: Buffer) => {
    stderr += part;
    if (/^step 10: score/m.test(stderr)) child.kill('SIGINT');
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  t.equal(code, 1, stderr);
  t.match(stdout, /^stopped; go on with: acom train .* --data slow --out run --resume\n1\d steps/);
  const {
    code: end,
    stderr: said,
    stdout: out,
  } = await acom(folder, ...['train', recipe, '--data', 'slow', '--out', 'run', '--resume']);
  t.equal(end, 0, said);
  t.match(said, /^goes on after step 1\d, from /m);
  t.match(out, /^30 steps/);
});

t.test('wrong arguments', async (t) => {
  const folder = t.testdir({});
  const refused = async (message: RegExp, ...args: string[]) => {
    const { code, stderr } = await acom(folder, 'train', ...args);
    t.equal(code, 2, stderr);
    t.match(messages(stderr), [message]);
  };
  await refused(/there is no recipe nothing/, 'nothing', '--data', 'x', '--out', 'y');
  await refused(/say --data and --out/, recipe, '--data', 'x');
  await refused(/exports no `recipe`/, join(repository, 'dist/test/support/shared.js'), '-d', 'x', '-o', 'y');
  t.equal((await acom(folder, 'train')).code, 0);
});
