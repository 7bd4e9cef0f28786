/** Speech that devices send: bundled recordings in a row, from different places on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCodecModel, readWav } from '../../src/index.js';
import { concatenate } from '../../src/tensor/index.js';
import { repository } from '../../test/support/shared.js';
import type { Speech } from './client.js';

const NAMES = ['digits', 'mixed', 'moves', 'answers', 'counting', 'turns'];
export const LIVE_MODEL = join(repository, 'weights/commands-live.safetensors');

/** As many different streams of `seconds` seconds as there are recordings. */
export async function speeches(seconds: number, packetVectors: number): Promise<Speech[]> {
  const model = await loadCodecModel(LIVE_MODEL);
  const [encoder, decoder] = [await model.deviceEncoder(), await model.cloudDecoder()];
  const recordings = NAMES.map(
    (name) => readWav(readFileSync(join(repository, `weights/samples/${name}.wav`))).samples,
  );
  return recordings.map((_, first) => {
    const round = concatenate(recordings.map((_, n) => recordings[(first + n) % recordings.length]!));
    const samples = Float32Array.from({ length: seconds * 8000 }, (_, i) => round[i % round.length]!);
    const live = encoder.live(8000, { packetVectors });
    const packets = [...live.push(samples), ...live.finish()];
    const stream = decoder.live().open(live.opening);
    const words = packets.flatMap((packet) => stream.receive(packet).words.map(({ word }) => word));
    return { opening: live.opening, packets, words };
  });
}
