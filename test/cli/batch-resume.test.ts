/** Batches that are ended in the middle, and go on. */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { doneOf, filesOf, LOG, saidOf, wrongIn } from '../support/batch.js';
import { acom, main, plainEnvironment, sample } from '../support/cli.js';
import { readSamples } from '../support/commands.js';

/** A folder of `count` recordings, no two of which are the same. */
function manyIn(folder: string, count: number): void {
  mkdirSync(join(folder, 'rec/deep'), { recursive: true });
  const samples = readSamples();
  for (let n = 0; n < count; n++) {
    const bytes = readFileSync(sample(samples[n % samples.length]!.path.slice(0, -4)));
    bytes.fill(0, 100, 100 + 2 * 500 * n);
    writeFileSync(join(folder, 'rec', n % 3 === 0 ? 'deep' : '', `${n}.wav`), bytes);
  }
}

/** Encodes `rec` into `out` and sends `signal` after `lines` files; gives what it said until it ended. */
async function endedAfter(folder: string, lines: number, signal: NodeJS.Signals, jobs: string) {
  const child = spawn('node', [main, 'encode', 'rec', '-o', 'out', '--json', '-j', jobs], {
    cwd: folder,
    env: plainEnvironment(),
  });
  let [stdout, stderr, sent] = ['', '', false];
  child.stdout.on('data', (part: Buffer) => {
    stdout += part;
    if (sent || stdout.split('\n').length <= lines) return;
    sent = true;
    child.kill(signal);
  });
  child.stderr.on('data', (part: Buffer) => {
    stderr += part;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, stdout, stderr };
}

const MANY = 30;

t.test('killed in the middle, it goes on, and the bytes are those of one go', async (t) => {
  for (const jobs of ['1', '2']) {
    const folder = t.testdir({});
    manyIn(folder, MANY);
    const killed = await endedAfter(folder, 6, 'SIGKILL', jobs);
    t.equal(killed.code, null);
    const there = filesOf(join(folder, 'out'), '.acom').length;
    t.ok(there >= 6 && there < MANY, `${there} of ${MANY} were done, ${jobs} at a time`);
    // The last line may have been cut short.
    appendFileSync(join(folder, 'out', LOG), '{"output":"27.acom","inp');
    const rest = await acom(folder, 'encode', 'rec', '-o', 'out', '--json', '-j', jobs);
    t.equal(rest.code, 0, rest.stderr);
    const done = doneOf(rest.stdout).length;
    t.ok(done <= MANY - 6 && done >= MANY - there, `${done} were left to do`);
    t.equal(saidOf(rest.stdout).length, MANY);
    t.same(await wrongIn(folder), []);
  }
});

t.test('Ctrl-C finishes the files in hand and says how to go on', async (t) => {
  for (const jobs of ['1', '2']) {
    const folder = t.testdir({});
    manyIn(folder, MANY);
    const { code, stdout, stderr } = await endedAfter(folder, 5, 'SIGINT', jobs);
    t.equal(code, 1, stderr);
    const done = doneOf(stdout).length;
    t.ok(done >= 5 && done < MANY, `${done} were done`);
    t.equal(filesOf(join(folder, 'out'), '.acom').length, done, 'all that were begun');
    t.match(stderr, /finishing the files in hand/);
    t.match(stderr, new RegExp(`stopped with ${MANY - done} files? to go; the same command goes on`));
    const rest = await acom(folder, 'encode', 'rec', '-o', 'out', '-j', jobs);
    t.match(rest, { code: 0, stderr: new RegExp(`${MANY - done} done, ${done} as they were`) });
    t.same(await wrongIn(folder), []);
  }
});
