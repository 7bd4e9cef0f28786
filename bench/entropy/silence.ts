/** What silence costs: by itself, and around speech, where it must not pass for a low rate. */
import type { DeviceEncoder } from '../../src/codec/index.js';
import { concatenate, createNormal, createRandom } from '../../src/tensor/index.js';
import { speech } from '../shipped.js';

const SECONDS = 60;

export function silenceLines(encoder: DeviceEncoder): string[] {
  const { samples: spoken, sampleRate } = speech(SECONDS);
  const normal = createNormal(createRandom(1));
  const zeros = new Float32Array(SECONDS * sampleRate);
  const room = Float32Array.from({ length: zeros.length }, () => 1e-3 * normal());
  const tone = Float32Array.from(
    { length: zeros.length },
    (_, n) => 0.1 * Math.sin((2 * Math.PI * 1000 * n) / sampleRate),
  );
  const kinds: readonly (readonly [string, Float32Array])[] = [
    ['speech', spoken],
    ['digital silence', zeros],
    ['noise of a quiet room, -60 dB', room],
    ['a tone of 1 kHz', tone],
    ['speech, then as much digital silence', concatenate([spoken, zeros])],
  ];
  const alone = encoder.encode(spoken, sampleRate).length;
  return [
    '| 60 s of | repeated vectors | coded bit/s | of it for what is not speech |',
    '| --- | ---: | ---: | ---: |',
    ...kinds.map(([name, samples]) => {
      const bytes = encoder.encode(samples, sampleRate);
      const { indices } = encoder.coder.read(bytes);
      const [vectors, stages] = indices.shape as [number, number];
      let repeated = 0;
      for (let n = 1; n < vectors; n++) {
        const same = Array.from({ length: stages }, (_, s) => indices.data[n * stages + s]);
        if (same.every((index, s) => index === indices.data[(n - 1) * stages + s])) repeated++;
      }
      const rate = (size: number, seconds: number) => ((8 * size) / seconds).toFixed(1);
      const seconds = samples.length / sampleRate;
      const rest = seconds > SECONDS ? rate(bytes.length - alone, seconds - SECONDS) : '';
      return `| ${name} | ${repeated} of ${vectors - 1} | ${rate(bytes.length, seconds)} | ${rest} |`;
    }),
    '',
  ];
}
