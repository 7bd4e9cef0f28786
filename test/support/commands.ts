/** The shipped model and things to feed it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CodecModel, loadCodecModel } from '../../src/codec/index.js';
import { type Recording, readWav } from '../../src/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { repository } from './shared.js';

export const modelFile = join(repository, 'weights/commands.safetensors');
export const samplesFolder = join(repository, 'weights/samples');

export const loadCommands = (): Promise<CodecModel> => loadCodecModel(modelFile);

export interface Sample extends Recording {
  readonly path: string;
  readonly transcript: string;
}

/** The bundled samples. */
export function readSamples(): Sample[] {
  const lines = readFileSync(join(samplesFolder, 'manifest.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const { path, transcript } = JSON.parse(line) as { path: string; transcript: string };
    return { path, transcript, ...readWav(readFileSync(join(samplesFolder, path))) };
  });
}

/** Seeded noise. */
export function noise(samples: number, seed = 1): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: samples }, () => 0.1 * (2 * random() - 1));
}
