/** The classifiers that ship: they load, fit their cards, and know recordings of what they were made for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadCodecModel } from '../../src/codec/index.js';
import { readRecording } from '../../src/index.js';
import { repository, shared, skipWithout } from '../support/shared.js';

const card = readFileSync(join(repository, 'weights/README.md'), 'utf8');
const file = (name: string): string => join(repository, `weights/${name}.safetensors`);

for (const name of ['commands', 'keywords', 'esc10']) {
  t.test(`the card of ${name}`, async (t) => {
    const { fingerprint, config } = await loadCodecModel(file(name));
    const [, section] = new RegExp(`## ${name}\\.safetensors([\\s\\S]*?)(\\n## |$)`).exec(card)!;
    t.ok(section!.includes(fingerprint.toString(16).padStart(8, '0')), 'its fingerprint');
    t.ok(section!.includes(config.licence), 'its licence');
    const { codebooks, codewords } = config.quantizer;
    t.ok(section!.includes(`${codebooks} codebooks of ${codewords} codewords`), 'its codebooks');
  });
}

t.test(
  'sounds that esc10 was trained on',
  { skip: skipWithout('data/esc10-16k/manifest.jsonl') },
  async (t) => {
    const model = await loadCodecModel(file('esc10'));
    const [encoder, classifier] = [await model.deviceEncoder(), await model.cloudClassifier()];
    const folder = shared('data/esc10-16k');
    const entries = readFileSync(join(folder, 'manifest.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; label: string })
      .filter((_, n) => n % 8 === 0);
    let right = 0;
    for (const { path, label } of entries) {
      const { samples, sampleRate } = await readRecording(readFileSync(join(folder, path)));
      if (classifier.classify(encoder.encode(samples, sampleRate)).label === label) right++;
    }
    // Not a measurement, which is in the card: files, reader and classes fit together.
    t.ok(right >= 0.8 * entries.length, `${right} of ${entries.length}`);
  },
);
