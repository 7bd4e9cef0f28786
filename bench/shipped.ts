/** The shipped model, and speech of any length to feed it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWav } from '../src/audio/index.js';
import { repository } from '../test/support/shared.js';

export const modelPath = join(repository, 'weights/commands.safetensors');

/** A bundled recording, over and over. */
export function speech(seconds: number): { readonly samples: Float32Array; readonly sampleRate: number } {
  const { samples, sampleRate } = readWav(readFileSync(join(repository, 'weights/samples/digits.wav')));
  const looped = Float32Array.from({ length: seconds * sampleRate }, (_, i) => samples[i % samples.length]!);
  return { samples: looped, sampleRate };
}
