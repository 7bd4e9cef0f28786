/** The recogniser's recipe: who is heard in training and who is not, utterances, and the way to a model and its scores. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadCodecModel } from '../../../src/codec/index.js';
import { createRandom } from '../../../src/tensor/index.js';
import { loadMaterial, type Take } from '../../../src/training/recipes/commands/material.js';
import { commandsRecipe } from '../../../src/training/recipes/commands/recipe.js';
import { COMMANDS } from '../../../src/training/recipes/commands/settings.js';
import { Utterances } from '../../../src/training/recipes/commands/utterances.js';
import { writeTones } from '../../support/recipe-data.js';

const DIGITS = COMMANDS.slice(0, 10);

/** Recordings of some speakers, of two who are in the official test split, and of a synthetic voice. */
function writeRecordings(folder: string): void {
  const half = { seconds: 0.5, sampleRate: 8000 };
  const crowd = COMMANDS.flatMap((label) =>
    Array.from({ length: 12 }, (_, n) => ({ label, speaker: `sc-${n}` })),
  );
  writeTones(folder, 'kws-sc-16k', [...crowd, { label: '_silence_' }, { label: 'bed', speaker: 'sc-1' }], {
    seconds: 1,
    sampleRate: 16000,
  });
  const digits = DIGITS.flatMap((label) =>
    ['test', 'train'].map((split) => ({ label, speaker: 'jackson', split })),
  );
  writeTones(folder, 'fsdd-8k', digits, half);
  writeTones(
    folder,
    'synthetic-voices',
    COMMANDS.map((label) => ({ label, speaker: 'espeak-ng-m1' })),
    half,
  );
}

t.test('training, validation and test', async (t) => {
  const folder = t.testdir();
  writeRecordings(folder);
  const material = await loadMaterial(folder, join(folder, 'synthetic-voices'));
  const { training, validation, test, noises, loaded } = material;
  const speakers = (takes: readonly Take[]) =>
    new Set(takes.filter(({ source }) => source === 'crowd').map(({ clip }) => loaded.clips[clip]!.speaker));
  const [heard, validated, tested] = [training, validation.unseen, test.unseen].map(speakers) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ];
  t.ok(heard.size > 0 && tested.size > 0);
  for (const speaker of heard) t.notOk(validated.has(speaker) || tested.has(speaker), speaker);
  for (const speaker of validated) t.notOk(tested.has(speaker), speaker);
  t.equal(heard.size + validated.size + tested.size, 12);
  t.same(test.known.length, 10, 'the official test recordings');
  t.equal(training.filter(({ source }) => source === 'voices').length, 20);
  t.equal(noises.length, 1);
  const words = [training, validation.unseen, validation.known, test.unseen, test.known].flat().length;
  t.equal(words, 240 + 20 + 20, 'every recording of a command is in one part; other words in none');

  const utterances = new Utterances(material, { crowd: 1, digits: 1, voices: 1 });
  const spoken = utterances.test(test.unseen, 1);
  t.equal(spoken.flatMap(({ labels }) => labels).length, test.unseen.length, 'each once');
  t.same(utterances.test(test.unseen, 1), spoken, 'the same utterances again');
  const random = createRandom(2);
  const number = utterances.draw(random);
  const { labels, samples } = utterances.training(number, random);
  t.ok(labels.includes(training[number]!.label));
  t.ok(samples.every(Number.isFinite) && samples.length > 2000);
});

t.test('from recordings to a model and its scores', async (t) => {
  const folder = t.testdir();
  writeRecordings(folder);
  const out = join(folder, 'run');
  const { aborted, lines } = await commandsRecipe.run({
    data: folder,
    out,
    seed: 1,
    workers: 0,
    resume: false,
    steps: 2,
    signal: new AbortController().signal,
    report: () => undefined,
  });
  t.notOk(aborted);
  t.match(lines.join('\n'), /unseen speakers.*\n {2}continuous {2}\d+ of \d+/);
  const manifest = join(out, 'test-unseen', 'manifest.jsonl');
  t.match(readFileSync(manifest, 'utf8'), /"transcript":"/);
  t.ok(existsSync(join(out, 'test-unseen', '0000.wav')));
  const model = await loadCodecModel(readFileSync(join(out, 'commands.safetensors')));
  const encoder = await model.deviceEncoder();
  const decoder = await model.cloudDecoder();
  const samples = Float32Array.from({ length: 24000 }, (_, n) => 0.3 * Math.sin(n / 5));
  for (let codebooks = 1; codebooks <= model.config.quantizer.codebooks; codebooks++) {
    t.type(decoder.decode(encoder.encode(samples, 8000, { codebooks })).text, 'string');
  }
});
