/**
 * npm run bench -- [filter]: every variant of every kernel on the sizes of real models, then the halves of the
 * shipped model. Each kernel is checked against its formula before it is timed. A filter is a part of a name.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { kernelSpecs } from '../kernels/index.js';
import { readWav } from '../src/audio/index.js';
import { loadCodecModel } from '../src/codec/index.js';
import { complaints, fillOperands } from '../test/support/kernel-harness.js';
import { repository } from '../test/support/shared.js';
import { measure } from './measure.js';

const filter = (process.argv[2] ?? '').toLowerCase();
const wanted = (name: string) => name.toLowerCase().includes(filter);

const time = (seconds: number) =>
  seconds < 1e-3
    ? `${(1e6 * seconds).toFixed(1)} µs`
    : seconds < 1
      ? `${(1e3 * seconds).toFixed(2)} ms`
      : `${seconds.toFixed(2)} s`;

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, one core; medians, spread is half the middle half`,
);

for (const any of kernelSpecs) {
  await any.visit(async (spec) => {
    for (const variant of spec.variants) {
      const reason = variant.available();
      if (reason !== true) {
        if (wanted(spec.name)) console.log(`${spec.name}, ${variant.name}: not here: ${reason}`);
        continue;
      }
      const kernel = variant.load();
      for (const { name, sizes } of spec.workloads) {
        const title = `${spec.name}, ${variant.name}: ${name}`;
        if (!wanted(title)) continue;
        const wrong = await complaints(spec, kernel, spec.sizes[0]!, {
          seed: 1,
          placement: { offset: 0, gap: 0 },
        });
        if (wrong.length > 0) throw new Error(`${title} is wrong: ${wrong.join('; ')}`);
        const operands = fillOperands(spec, sizes, { seed: 1, placement: { offset: 0, gap: 0 } });
        const { seconds, spread } = measure(spec.bind(kernel, sizes, operands));
        const { operations, bytes } = spec.cost(sizes);
        const rates = `${(operations / seconds / 1e9).toFixed(2)} GFLOP/s  ${(bytes / seconds / 1e9).toFixed(2)} GB/s`;
        console.log(
          `${title.padEnd(76)} ${time(seconds).padStart(10)} ± ${(100 * spread).toFixed(0).padStart(2)} %  ${rates}`,
        );
      }
    }
  });
}

const half = (what: string, seconds: number, work: () => void) => {
  if (!wanted(what)) return;
  const { seconds: took, spread } = measure(work, 3);
  const speed = `${(seconds / took).toFixed(0)} times faster than real time`;
  console.log(
    `${what.padEnd(76)} ${time(took).padStart(10)} ± ${(100 * spread).toFixed(0).padStart(2)} %  ${speed}`,
  );
};

const model = await loadCodecModel(join(repository, 'weights/commands.safetensors'));
const encoder = await model.deviceEncoder();
const decoder = await model.cloudDecoder();
const { samples, sampleRate } = readWav(readFileSync(join(repository, 'weights/samples/digits.wav')));
const looped = (seconds: number) =>
  Float32Array.from({ length: seconds * sampleRate }, (_, i) => samples[i % samples.length]!);
for (const seconds of [1, 3, 10, 60]) {
  const sound = looped(seconds);
  const stream = encoder.encode(sound, sampleRate);
  half(`shipped model, device half, ${seconds} s of speech`, seconds, () => {
    encoder.encode(sound, sampleRate);
  });
  half(`shipped model, cloud half, ${seconds} s of speech`, seconds, () => {
    decoder.decode(stream);
  });
}
