/** The search without training: trials are made up, what is written and reported of them is not. */
import { join } from 'node:path';
import t from 'tap';
import type { Choice } from '../../bench/experiments/choices.js';
import { search as section } from '../../bench/experiments/report/search.js';
import { provenanceOf, type Trial, writeResults } from '../../bench/experiments/results.js';
import { best, objectiveOf, readSearch, search } from '../../bench/experiments/search.js';
import { TASKS, type Task } from '../../bench/experiments/tasks.js';
import type { TrialSettings } from '../../bench/experiments/trial.js';
import { TrainingError } from '../../src/tensor/index.js';

const TOTAL = 40;
const task: Task = TASKS.esc10;

/** Labels that are right of TOTAL, and bits: more of both by more codewords, fewer bits by more steps to a vector. */
function trialOf(choice: Choice): Trial {
  const bits = Math.log2(choice.codewords);
  const points = Array.from({ length: choice.codebooks }, (_, n) => {
    const raw = ((n + 1) * 10 * bits) / choice.pooling;
    const count = Math.min(TOTAL, 15 + Math.round(bits) + n + choice.splitLayer);
    const interval = [count / TOTAL - 0.1, Math.min(1, count / TOTAL + 0.1)] as const;
    return { k: n + 1, raw, entropy: raw, coded: raw + 17, count, total: TOTAL, interval };
  });
  const continuous = { count: 36, total: TOTAL, interval: [0.8, 0.95] as const };
  const validation = { recordings: TOTAL, seconds: 5 * TOTAL, continuous, points };
  return { choice, seconds: 60, losses: [0.3, 0.6, 0.5, 0.4, 0.4], sets: { validation } };
}

function settingsOf(seed = 1, signal = new AbortController().signal): TrialSettings {
  const options = { data: '', out: '', seed, resume: true, signal, report: () => undefined };
  return { task, runs: '', options };
}

t.test('errors with the codebooks that fit', async (t) => {
  const choice = { losses: 'both', splitLayer: 4, pooling: 1, codebooks: 4, codewords: 16, beta: 1 } as const;
  const { sets } = trialOf({ ...choice, lambda: 0, width: 64, rate: 1e-3, epochs: 3 });
  const set = sets['validation']!;
  // 57, 97, 137, 177 bit/s.
  t.same(objectiveOf(set, 'accuracy', 100), { objective: 1 - 24 / 40, k: 2 });
  t.same(objectiveOf(set, 'word error rate', 97), { objective: 24 / 40, k: 2 });
  t.same(objectiveOf(set, 'accuracy', 50), { objective: 1, k: 0 });
});

t.test('a search is written, goes on, and is reported', async (t) => {
  const lines: string[] = [];
  const command = 'npm run experiments -- search esc10';
  const outputOf = (name: string, trials: number) => ({
    out: join(t.testdirName, name),
    command,
    say: (line: string): void => void lines.push(line),
    trials,
  });
  t.testdir();
  t.equal(await section(t.testdirName), null, 'no section without a result');

  const made: Choice[] = [];
  const measured = async (_: unknown, choice: Choice): Promise<Trial> => {
    made.push(choice);
    if (made.length === 3) throw new TrainingError('step 7: the loss is NaN', { step: 7 });
    return trialOf(choice);
  };
  t.ok(await search([], outputOf('parts', 5), settingsOf(), measured));
  const five = readSearch(outputOf('parts', 5).out, task)!;
  t.match(five, { experiment: 'search', task: 'esc10', seed: 1, command });
  t.match(five.setup, { epochs: 3, codebooks: 4, mostBits: 100, startup: 6 });
  t.same(
    five.rows.map(({ choice }) => choice),
    made,
  );
  t.match(five.rows[2], { objective: 1, k: 0, failed: /the loss is NaN/, sets: {} });
  t.match(lines[2], /^trial 3 of 5: training: step 7: the loss is NaN; both, beta/);

  t.ok(await search([], outputOf('parts', 20), settingsOf(), measured));
  t.equal(made.length, 20, 'what was measured is not measured again');
  made.length = 0;
  t.ok(await search([], outputOf('whole', 20), settingsOf(), measured));
  const { rows } = readSearch(outputOf('whole', 20).out, task)!;
  t.same(readSearch(outputOf('parts', 20).out, task)!.rows.slice(0, 5), five.rows);
  t.same(
    readSearch(outputOf('parts', 20).out, task)!.rows.map(({ choice }) => choice),
    rows.map(({ choice }) => choice),
    'where it was ended changes nothing',
  );

  const ended = settingsOf(1, AbortSignal.abort());
  t.notOk(await search([], outputOf('parts', 21), ended, measured));
  await t.rejects(
    search([], outputOf('parts', 21), settingsOf(2), measured),
    /of another search, with seed 1/,
  );
  const longer = { ...settingsOf(), task: { ...task, trial: { ...task.trial, epochs: 9 } } };
  await t.rejects(search([], outputOf('parts', 21), longer, measured), /3 epochs a trial/);
  const broken = () => Promise.reject(new TrainingError('no such file', { step: 1, cause: new Error() }));
  await t.rejects(search([], outputOf('parts', 21), settingsOf(), broken), /no such file/);
  t.equal(readSearch(outputOf('parts', 20).out, task)!.rows.length, 20);

  const [first] = best(rows, 1);
  const { title, body, figure, from } = (await section(outputOf('whole', 20).out))!;
  t.equal(title, 'Search');
  const text = body.join('\n');
  t.match(
    text,
    /^ESC-10, 40 validation recordings: 20 trials of 3 epochs in 0\.\d hours, the first 6 drawn at random/,
  );
  t.match(text, 'rate of learning 1e-4 to 0.003 (logarithmic).');
  t.match(
    text,
    `The best is trial ${rows.indexOf(first!) + 1} of 20: ${(100 * first!.objective).toFixed(1)} (`,
  );
  t.match(text, 'The training of 1 trial came to numbers that are NaN or infinite.');
  t.equal(text.match(/^\| \d+ \|/gm)!.length, 8);
  t.notMatch(text, /sweeps|NaN %|undefined/);
  t.equal(figure!.svg.match(/aria-roledescription="point"/g)!.length, 19);
  t.match(from, [{ command }]);

  const byHand = trialOf({ ...made[0]!, losses: 'k-means', splitLayer: 4, pooling: 4, codewords: 256 });
  const { out } = outputOf('whole', 20);
  await writeResults(out, { ...provenanceOf('losses', 'esc10', 1, ''), rows: [byHand] });
  // 8 bits: 20, 40, 60, 80 bit/s and 17; of them 15 + 8 + 3 + 4 labels are right.
  const hand =
    'the best of the sweeps has 25.0 (15.0 to 35.0) % wrong with 4 codebooks at 97 bit/s (k-means: cut after 4, 4 steps';
  t.match((await section(out))!.body.join('\n'), hand);
});

t.test('a search of nothing that fits', async (t) => {
  const out = t.testdir();
  const measured = async (_: unknown, choice: Choice) => trialOf({ ...choice, codewords: 2 ** 60 });
  t.ok(await search([], { out, command: '', say: () => undefined, trials: 1 }, settingsOf(), measured));
  const { body } = (await section(out))!;
  t.match(body.join('\n'), 'Not one trial fits under 100 bit/s. Of 1 trial not one codebook fits.');
  t.notMatch(body.join('\n'), /^\|/m);
});
