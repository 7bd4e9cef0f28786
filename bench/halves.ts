/** Times the two halves of the shipped model. */
import { loadCodecModel } from '../src/codec/index.js';
import { measure } from './measure.js';
import { modelPath, speech } from './shipped.js';
import { observe } from './sink.js';
import type { Summary } from './statistics.js';

export interface HalfTiming {
  readonly name: string;
  readonly took: Summary;
  /** Seconds of speech. */
  readonly seconds: number;
}

const LENGTHS = [1, 3, 10, 60];
const titleOf = (half: string, seconds: number) => `shipped model, ${half} half, ${seconds} s of speech`;

export const halfNames = (): string[] =>
  ['device', 'cloud'].flatMap((half) => LENGTHS.map((seconds) => titleOf(half, seconds)));

export async function* timeHalves(
  wanted: (title: string) => boolean,
  maxSeconds: number,
): AsyncGenerator<HalfTiming> {
  const model = await loadCodecModel(modelPath);
  const encoder = await model.deviceEncoder();
  const decoder = await model.cloudDecoder();
  for (const seconds of LENGTHS) {
    const { samples, sampleRate } = speech(seconds);
    const stream = encoder.encode(samples, sampleRate);
    const halves = {
      device: () => observe(encoder.encode(samples, sampleRate)),
      cloud: () => observe([decoder.decode(stream).text.length]),
    };
    for (const [half, work] of Object.entries(halves)) {
      const name = titleOf(half, seconds);
      if (wanted(name)) yield { name, took: await measure(work, maxSeconds), seconds };
    }
  }
}
