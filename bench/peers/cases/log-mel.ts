/**
 * Log-mel of 10 s of audio. pffft only transforms: window, power, filters and logarithm are plain loops over
 * typed arrays, which is what its users write.
 */
import { type FrontEndConfig, LogMel } from '../../../src/audio/index.js';
import { hammingWindow, melFilters } from '../../../src/audio/mel.js';
import { createRandom, flat } from '../../../src/tensor/index.js';
import { observe } from '../../sink.js';
import type { Candidate, Entry } from '../candidates.js';
import type { Peers } from '../load.js';
import { chosenName } from '../ours.js';
import type { Case } from './case.js';

const SECONDS = 10;

const shared = { minHertz: 0, spectrum: 'power', compression: 'decibel', topDecibels: null } as const;
const FRONT_ENDS: readonly (readonly [string, FrontEndConfig])[] = [
  [
    'shipped model, 8 kHz',
    {
      sampleRate: 8000,
      fftSize: 256,
      windowSamples: 200,
      hopSamples: 80,
      mels: 40,
      maxHertz: 4000,
      ...shared,
    },
  ],
  [
    'conformer large, 16 kHz',
    {
      sampleRate: 16000,
      fftSize: 512,
      windowSamples: 512,
      hopSamples: 160,
      mels: 80,
      maxHertz: 8000,
      ...shared,
    },
  ],
];

/** The front end on pffft. */
function pffftEntry({ pffft }: Peers, config: FrontEndConfig, samples: Float32Array): Entry[] {
  if (!pffft) return [];
  const build = (): Candidate => {
    const { fftSize, hopSamples, mels, windowSamples } = config;
    const window = Float32Array.from(hammingWindow(windowSamples, fftSize));
    const filters = melFilters(config);
    const weights = Float32Array.from(filters.weights);
    const { bandStart, bandEnd } = filters;
    const bins = fftSize / 2 + 1;
    const REAL = 0;
    const FORWARD = 0;
    const setup = pffft._pffft_new_setup(fftSize, REAL);
    const [input, output] = [1, 2].map(() => pffft._pffft_aligned_malloc(4 * fftSize)) as [number, number];
    const heap = pffft.HEAPF32;
    const [frame, spectrum] = [input, output].map((at) => heap.subarray(at >> 2, (at >> 2) + fftSize)) as [
      Float32Array,
      Float32Array,
    ];
    const frames = 1 + Math.floor(samples.length / hopSamples);
    const y = new Float32Array(frames * mels);
    const power = new Float32Array(bins);
    const padded = new Float32Array(samples.length + fftSize);
    const run = () => {
      padded.set(samples, fftSize / 2);
      for (let t = 0; t < frames; t++) {
        const from = t * hopSamples;
        for (let n = 0; n < fftSize; n++) frame[n] = padded[from + n]! * window[n]!;
        pffft._pffft_transform_ordered(setup, input, output, 0, FORWARD);
        // The two real bins share the first place.
        power[0] = spectrum[0]! * spectrum[0]!;
        power[bins - 1] = spectrum[1]! * spectrum[1]!;
        for (let f = 1; f < bins - 1; f++) {
          const [re, im] = [spectrum[2 * f]!, spectrum[2 * f + 1]!];
          power[f] = re * re + im * im;
        }
        for (let m = 0; m < mels; m++) {
          let sum = 0;
          for (let f = bandStart[m]!; f < bandEnd[m]!; f++) sum += power[f]! * weights[m * bins + f]!;
          y[t * mels + m] = 10 * Math.log10(Math.max(sum, 1e-10));
        }
      }
    };
    return {
      run,
      result: () => {
        run();
        return y.slice();
      },
      close: () => observe(y),
    };
  };
  return [{ name: 'pffft', build }];
}

export const logMelCases: readonly Case[] = FRONT_ENDS.map(([name, config]) => ({
  group: 'log-mel',
  name: `${SECONDS} s, ${name}`,
  operations: null,
  entries(peers) {
    const random = createRandom(31);
    const length = SECONDS * config.sampleRate;
    const samples = Float32Array.from({ length }, () => 0.2 * random() - 0.1);
    const logMel = new LogMel(config);
    const ours: Entry = {
      name: chosenName(),
      build: () => ({
        run: () => void logMel.frames(samples),
        result: () => flat(logMel.frames(samples)).slice(),
        close: () => observe(flat(logMel.frames(samples))),
      }),
    };
    return [ours, ...pffftEntry(peers, config, samples)];
  },
}));
