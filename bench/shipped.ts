/** The shipped model, and speech of any length to feed it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWav } from '../src/audio/index.js';
import { FrameStream } from '../src/codec/frame-stream.js';
import { deviceNetworkOf } from '../src/codec/load-device.js';
import { openModel } from '../src/codec/open-model.js';
import { Timing } from '../src/codec/timing.js';
import { WindowPlan } from '../src/codec/windows.js';
import { poolFrames } from '../src/quantizer/pooling.js';
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
  const { quantizer } = await model.shared();
  const timing = new Timing(model.config);
  const parts: Float32Array[] = [];
  for (const name of ['digits', 'mixed', 'moves', 'switches', 'counting', 'turns']) {
    const { samples, sampleRate } = readWav(readFileSync(join(repository, `weights/samples/${name}.wav`)));
    const plan = new WindowPlan(timing.vectorsPerSecond);
    const frames = new FrameStream(network, timing, plan, sampleRate, (x) => {
      parts.push(flat(poolFrames(x, model.config.quantizer.pooling)));
    });
    frames.push(samples);
    frames.finish();
  }
  const vectors = concatenate(parts).slice(0, count * quantizer.width);
  return { vectors, codebooks: quantizer.codebooks };
}
