/** The shipped model, and speech of any length to feed it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWav } from '../src/audio/index.js';
import { deviceNetworkOf } from '../src/codec/load-device.js';
import { openModel } from '../src/codec/open-model.js';
import { VectorLayout } from '../src/codec/vector-layout.js';
import { concatenate, flat, type Tensor } from '../src/tensor/index.js';
import { repository } from '../test/support/shared.js';

export const modelPath = join(repository, 'weights/commands.safetensors');

/** A bundled recording, over and over. */
export function speech(seconds: number): { readonly samples: Float32Array; readonly sampleRate: number } {
  const { samples, sampleRate } = readWav(readFileSync(join(repository, 'weights/samples/digits.wav')));
  const looped = Float32Array.from({ length: seconds * sampleRate }, (_, i) => samples[i % samples.length]!);
  return { samples: looped, sampleRate };
}

/** The first `count` vectors that the shipped model makes of the bundled recordings, and its codebooks. */
export async function shippedVectors(
  count: number,
): Promise<{ readonly vectors: Float32Array; readonly codebooks: Tensor }> {
  const model = await openModel(modelPath);
  const network = await deviceNetworkOf(model);
  const { codebooks, coder } = await model.shared();
  const layout = new VectorLayout(model.config);
  const parts: Float32Array[] = [];
  for (const name of ['digits', 'mixed', 'moves', 'answers', 'counting', 'turns']) {
    const { samples, sampleRate } = readWav(readFileSync(join(repository, `weights/samples/${name}.wav`)));
    const steps = network(sampleRate, (x) => {
      parts.push(flat(layout.toVectors(x)));
    });
    steps.push(samples);
    steps.finish();
  }
  const vectors = concatenate(parts).slice(0, count * coder.groups * codebooks.shape[2]!);
  return { vectors, codebooks };
}
