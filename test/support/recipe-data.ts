/** Small folders of recordings, as recipes read them: each class is a tone of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWav } from '../../src/index.js';
import { createRandom } from '../../src/tensor/index.js';

export interface ToneClip {
  readonly label: string;
  readonly speaker?: string;
  readonly split?: string;
  readonly fold?: number;
}

/** Writes a dataset of tones into `folder`/`name`; a tone's pitch tells its label, its level and phase its number. */
export function writeTones(
  folder: string,
  name: string,
  clips: readonly ToneClip[],
  { seconds, sampleRate }: { readonly seconds: number; readonly sampleRate: number },
): void {
  const labels = [...new Set(clips.map(({ label }) => label))].sort();
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const lines = clips.map(({ label, ...about }, n) => {
    const random = createRandom(n);
    const hertz = 200 * 1.19 ** labels.indexOf(label);
    const [level, phase] = [0.2 + 0.3 * random(), 6 * random()];
    const samples = Float32Array.from(
      { length: seconds * sampleRate },
      (_, t) => level * Math.sin(phase + (2 * Math.PI * hertz * t) / sampleRate) + 0.01 * (2 * random() - 1),
    );
    const path = `${n}.wav`;
    writeFileSync(join(own, path), writeWav(samples, { sampleRate }));
    return JSON.stringify({
      path,
      label,
      transcript: label.startsWith('_') ? '' : label,
      sample_rate: sampleRate,
      samples: samples.length,
      ...about,
    });
  });
  writeFileSync(join(own, 'manifest.jsonl'), `${lines.join('\n')}\n`);
}
