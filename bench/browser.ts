/**
 * npm run bench:browser -- [--seconds n]: how many times faster than real time the device half of the shipped model runs in
 * headless Chromium, from the bundles that are published: on SIMD in a page that may not share memory, so on one core, and
 * on WebGL 2. Beside Node in the same run, and whether the bytes are those of Node.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { resample } from '../src/audio/index.js';
import type * as AcomGpu from '../src/gpu/index.js';
import type * as Acom from '../src/index.js';
import { useThreads } from '../src/ops/index.js';
import { concatenate } from '../src/tensor/index.js';
import { bundleForPage, noChromium, onPage } from '../test/support/chromium.js';
import { loadCommands, modelFile, readSamples } from '../test/support/commands.js';
import { repository } from '../test/support/shared.js';
import { describeMachine, thisMachine, time } from './report.js';
import type * as Sample from './sample.js';
import { sample } from './sample.js';
import type { Summary } from './statistics.js';

const JOINED_SECONDS = 60;
/** On SwiftShader a GPU is slow: one sample says how slow. */
const GPU_SAMPLE = 'digits.wav';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '0.5' } } });
const budget = Number(values.seconds);
if (!(budget > 0)) throw new Error(`--seconds is ${values.seconds}; use a number above 0`);
if (noChromium) throw new Error(noChromium);

interface Recording {
  readonly name: string;
  readonly samples: Float32Array;
  readonly sampleRate: number;
}

interface Encoded {
  readonly took: Summary;
  readonly bytes: readonly number[];
}

/** All bundled samples one after another, over and over, at one rate. */
function joined(parts: readonly Recording[]): Recording {
  const sampleRate = Math.min(...parts.map((part) => part.sampleRate));
  const all = concatenate(parts.map((part) => resample(part.samples, part.sampleRate, sampleRate)));
  const length = JOINED_SECONDS * sampleRate;
  const samples = Float32Array.from({ length }, (_, i) => all[i % all.length]!);
  return { name: `all of them, over and over, ${JOINED_SECONDS} s`, samples, sampleRate };
}

const bundle = (file: string): Uint8Array => readFileSync(join(repository, 'dist/browser', file));

/** On the page: all recordings by one encoder, on SIMD or on a GPU. */
const encodeThere = (page: Page, recordings: readonly Recording[], gpu: boolean): Promise<Encoded[]> =>
  page.evaluate(
    async ([rates, gpu, budget]) => {
      const { sample } = (await import(String('/script.js'))) as typeof Sample;
      const fetched = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
      const source = await fetched('model.safetensors');
      let encoder: { encode(samples: Float32Array, rate: number): Uint8Array | Promise<Uint8Array> };
      if (gpu) {
        const { loadCodecModel } = (await import(String('/acom-gpu.js'))) as typeof AcomGpu;
        const model = await loadCodecModel(source, { backend: 'gpu', mode: 'webgl2' });
        encoder = await model.deviceEncoder();
      } else {
        const { loadCodecModel } = (await import(String('/acom.js'))) as typeof Acom;
        encoder = await (await loadCodecModel(source)).deviceEncoder();
      }
      const found: Encoded[] = [];
      for (const [i, rate] of rates.entries()) {
        const samples = new Float32Array((await fetched(`${i}.f32`)).buffer);
        const bytes = [...(await encoder.encode(samples, rate))];
        found.push({ took: await sample(() => encoder.encode(samples, rate), budget), bytes });
      }
      return found;
    },
    [recordings.map(({ sampleRate }) => sampleRate), gpu, budget] as const,
  );

/** The recordings in a page of its own, and the browser's version. */
async function inChromium(recordings: readonly Recording[], gpu: boolean) {
  const script = await bundleForPage("export { sample } from './dist/bench/sample.js';");
  const files: Record<string, Uint8Array> = {
    'model.safetensors': readFileSync(modelFile),
    'acom.js': bundle('acom.js'),
    'acom-gpu.js': bundle('acom-gpu.js'),
  };
  for (const [i, { samples }] of recordings.entries()) files[`${i}.f32`] = new Uint8Array(samples.buffer);
  return onPage(script, files, async (page) => {
    if (await page.evaluate(() => crossOriginIsolated)) throw new Error('the page may share memory');
    const encoded = await encodeThere(page, recordings, gpu);
    return { encoded, version: page.context().browser()?.version() };
  });
}

useThreads(1);
const parts: Recording[] = readSamples().map(({ path, samples, sampleRate }) => ({
  name: path,
  samples: samples.slice(),
  sampleRate,
}));
const recordings = [...parts, joined(parts)];
const encoder = await (await loadCommands()).deviceEncoder();
const here: Encoded[] = [];
for (const { samples, sampleRate } of recordings) {
  const bytes = [...encoder.encode(samples, sampleRate)];
  here.push({ took: await sample(() => encoder.encode(samples, sampleRate), budget), bytes });
}
const simd = await inChromium(recordings, false);
const chosen = parts.findIndex(({ name }) => name === GPU_SAMPLE);
const gpu = await inChromium(parts.slice(chosen, chosen + 1), true);

const speed = ({ samples, sampleRate }: Recording, { took }: Encoded): string => {
  const times = samples.length / sampleRate / took.best;
  return times >= 10 ? times.toFixed(0) : times.toFixed(2);
};

function line(recording: Recording, where: string, encoded: Encoded, node: Encoded): string {
  const { samples, sampleRate, name } = recording;
  const cells = [
    name,
    where,
    (samples.length / sampleRate).toFixed(1),
    time(encoded.took.best),
    speed(recording, encoded),
    time(node.took.best),
    speed(recording, node),
    String(encoded.bytes) === String(node.bytes) ? 'the same' : '**others**',
  ];
  return `| ${cells.join(' | ')} |`;
}

console.log(`Chromium ${simd.version}, headless; ${describeMachine(thisMachine())}, ${new Date().toISOString().slice(0, 10)}; best of many

| recording | how | seconds | Chromium | times real time | Node, simd | times real time | bytes |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |`);
for (const [i, recording] of recordings.entries())
  console.log(line(recording, 'simd', simd.encoded[i]!, here[i]!));
for (const encoded of gpu.encoded) console.log(line(parts[chosen]!, 'webgl2', encoded, here[chosen]!));
