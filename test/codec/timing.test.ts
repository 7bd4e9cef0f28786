/** How samples, clips, steps and vectors count: by properties, and by hand for each kind of network. */
import fc from 'fast-check';
import t from 'tap';
import { frontEndFrames } from '../../src/audio/index.js';
import { FrameTiming } from '../../src/codec/frame-timing.js';
import {
  ClipTiming,
  type CodecConfig,
  loadNetworkModel,
  type NetworkModelConfig,
  timingOf,
  VectorLayout,
} from '../../src/codec/index.js';
import { createRandom, type Tensor, zeros } from '../../src/tensor/index.js';
import { CLIP, RATE, tinyConfig, tinyKeywords } from '../support/classifiers.js';
import { loadCommands } from '../support/commands.js';

const keywords = (await loadNetworkModel(await tinyKeywords('plain'))).config;
const commands = (await loadCommands()).config;

interface Cut {
  readonly layer: number;
  readonly vectors?: 'step' | 'position';
  readonly pooling?: number;
  readonly groups?: number;
}

const cutAfter = (
  config: NetworkModelConfig,
  { layer, vectors = 'step', pooling = 1, groups = 1 }: Cut,
): CodecConfig => ({
  ...config,
  splitLayer: layer,
  quantizer: { codebooks: 1, codewords: 2, pooling, defaultCodebooks: 1, vectors, groups },
});

const cuts = fc.record({
  layer: fc.integer({ min: 0, max: 3 }),
  vectors: fc.constantFrom<'step' | 'position'>('step', 'position'),
  pooling: fc.integer({ min: 1, max: 5 }),
});

t.test('clips cover a recording, and their vectors add up to its vectors', async (t) => {
  const property = fc.property(
    cuts,
    fc.oneof(fc.integer({ min: 0, max: 3 * CLIP }), fc.integer({ min: 0, max: 1e6 })),
    fc.constantFrom(0.05, 0.1234, 0.4, 1),
    (cut, samples, clipSeconds) => {
      const timing = new ClipTiming(cutAfter(tinyConfig({ clipSeconds }), cut));
      const clips = timing.clips(samples);
      const whole = Math.round(clipSeconds * RATE);
      let [end, vectors] = [0, 0];
      for (let number = 0; number < clips; number++) {
        const clip = timing.clip(samples, number);
        if (clip.startSample !== end || clip.endSample <= clip.startSample) return false;
        if (number < clips - 1 && clip.endSample - clip.startSample !== whole) return false;
        if (clip.from !== vectors) return false;
        const steps = timing.steps(clip.endSample - clip.startSample);
        if (clip.to - clip.from !== timing.layout.vectors(steps) || clip.to <= clip.from) return false;
        [end, vectors] = [clip.endSample, clip.to];
      }
      if (vectors !== timing.vectors(samples)) return false;
      // What is left out is a rest of less than half a clip, and only where there is a whole one.
      const rest = samples - end;
      if (samples === 0) return clips === 0;
      return (
        clips >= 1 && (rest === 0 || (rest > 0 && 2 * rest < whole && clips === Math.floor(samples / whole)))
      );
    },
  );
  fc.assert(property, { seed: 3, numRuns: 500 });
  t.pass();
});

t.test('a rest of half a clip is one more', async (t) => {
  const timing = new ClipTiming(tinyConfig());
  t.equal(timing.clipSamples, CLIP);
  const counts = [0, 1, CLIP / 2 - 1, CLIP, 1.5 * CLIP - 1, 1.5 * CLIP, 2 * CLIP, 2.5 * CLIP - 1, 2.5 * CLIP];
  t.same(
    counts.map((samples) => timing.clips(samples)),
    [0, 1, 1, 1, 1, 2, 2, 2, 3],
  );
  t.equal(timing.clip(1.5 * CLIP, 1).endSample, 1.5 * CLIP);
  t.equal(timing.clip(1.5 * CLIP - 1, 0).endSample, CLIP);
});

t.test('short clips are filled up to what the network needs, and no further', async (t) => {
  const configs = [tinyConfig(), keywords, tinyConfig({ clipSeconds: 0.06 })];
  for (const config of configs) {
    const timing = new ClipTiming(config);
    const least = config.network.type === 'keyword-cnn' ? config.network.frames : 4;
    const filled = timing.filled(1);
    t.ok(frontEndFrames(config.frontEnd, filled) >= least, `${config.name}: ${filled} samples are enough`);
    t.ok(frontEndFrames(config.frontEnd, filled - 1) < least, 'and fewer are not');
    t.equal(timing.filled(filled + 1), filled + 1);
    t.equal(timing.steps(1), timing.steps(filled));
  }
});

t.test('vectors of a clip, by hand', async (t) => {
  // 41 frames of 16 mels; each block but the last halves both axes.
  const steps = [41, 20, 10, 10];
  const bands = [16, 8, 4, 4];
  const channels = [1, 4, 6, 8];
  for (let layer = 0; layer <= 3; layer++) {
    for (let pooling = 1; pooling <= 5; pooling++) {
      const pooled = Math.ceil(steps[layer]! / pooling);
      const wide = new ClipTiming(cutAfter(tinyConfig(), { layer, pooling }));
      t.equal(wide.vectors(CLIP), pooled, `layer ${layer}, pooling ${pooling}`);
      t.equal(wide.layout.width, bands[layer]! * channels[layer]!);
      t.equal(wide.vectorsPerSecond, pooled / 0.4);
      const narrow = new ClipTiming(cutAfter(tinyConfig(), { layer, pooling, vectors: 'position' }));
      t.equal(narrow.vectors(3 * CLIP), 3 * pooled * bands[layer]!, 'each position');
      t.equal(narrow.layout.width, channels[layer]!);
      t.equal(narrow.layout.perStep, bands[layer]!);
    }
  }
  const uncut = new VectorLayout(tinyConfig());
  t.same(
    [uncut.layer, uncut.pooling, uncut.perStep, uncut.width],
    [3, 1, 1, 32],
    'a network without codebooks',
  );
});

t.test('vectors of a keyword network and of a conformer, by hand', async (t) => {
  if (keywords.network.type !== 'keyword-cnn') throw new Error('no keyword network');
  const samples = new ClipTiming(keywords).clipSamples;
  t.equal(samples, 1000);
  // 19 frames by 6 coefficients; the maps behind come from the numpy fixture.
  const maps = JSON.parse((await import('../support/keyword-fixtures.js')).keywordFixture('plain').json) as {
    expected: { maps: { shape: [number, number, number] }[] };
  };
  const shapes = [[19, 6, 1], ...maps.expected.maps.map(({ shape }) => shape)];
  shapes.forEach(([steps, bands, channels], layer) => {
    for (const pooling of [1, 2, 3]) {
      const timing = new ClipTiming(cutAfter(keywords, { layer, pooling, vectors: 'position' }));
      t.equal(timing.vectors(samples), Math.ceil(steps! / pooling) * bands!, `layer ${layer}`);
      t.equal(timing.layout.width, channels);
      t.equal(new ClipTiming(cutAfter(keywords, { layer, pooling })).layout.width, bands! * channels!);
    }
  });

  // 8 kHz, hop 80, front end of stride 4: a frame each 40 ms; a frame has one band.
  for (const pooling of [1, 2, 3]) {
    for (const vectors of ['step', 'position'] as const) {
      const config = cutAfter(commands, { layer: 3, pooling, vectors });
      const timing = new FrameTiming(config);
      const layout = new VectorLayout(config);
      t.equal(layout.perStep, 1);
      t.equal(layout.width, 96);
      t.equal(timing.vectorsPerSecond, 1 / (0.04 * pooling));
      t.equal(timing.vectors(0), 0);
      for (const length of [1, 79, 80, 8000, 12_345]) {
        const features = 1 + Math.floor(length / 80);
        const frames = Math.ceil(Math.ceil(features / 2) / 2);
        t.equal(timing.frames(length), frames, `${length} samples`);
        t.equal(timing.vectors(length), Math.ceil(frames / pooling));
      }
    }
  }
});

const filledWith = (seed: number, ...shape: number[]): Tensor => {
  const random = createRandom(seed);
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = random() - 0.5;
  return x;
};

t.test('steps to vectors and back: the mean of each pool, at its place', async (t) => {
  const property = fc.property(cuts, fc.integer({ min: 1, max: 23 }), fc.integer(), (cut, steps, seed) => {
    const layout = new VectorLayout(cutAfter(tinyConfig(), cut));
    const { bands, channels } = layout.shape;
    const x = filledWith(seed, steps, bands * channels);
    const vectors = layout.toVectors(x);
    if (vectors.shape.join() !== [layout.vectors(steps), layout.width].join()) return false;
    const back = layout.toSteps(vectors, steps);
    if (back.shape.join() !== x.shape.join()) return false;
    const { pooling } = layout;
    for (let n = 0; n < steps; n++) {
      const first = n - (n % pooling);
      for (let f = 0; f < bands; f++) {
        for (let c = 0; c < channels; c++) {
          const column = f * channels + c;
          let mean = 0;
          for (let i = 0; i < pooling; i++) mean += x.get(Math.min(first + i, steps - 1), column) / pooling;
          const row = Math.floor(n / pooling);
          const vector =
            cut.vectors === 'position' ? vectors.get(row * bands + f, c) : vectors.get(row, column);
          if (Math.abs(vector - mean) > 1e-6 || back.get(n, column) !== vector) return false;
          if (pooling === 1 && vector !== x.get(n, column)) return false;
        }
      }
    }
    return true;
  });
  fc.assert(property, { seed: 4, numRuns: 200 });
  t.pass();
});

t.test('packets are whole clips', async (t) => {
  for (const vectors of ['step', 'position'] as const) {
    const timing = timingOf(cutAfter(tinyConfig(), { layer: 1, vectors, pooling: 3 }));
    const clip = timing.vectors(CLIP);
    const expected: [seconds: number, clips: number][] = [
      [1e-9, 1],
      [0.4, 1],
      [0.59, 1],
      [0.61, 2],
      [1, 3],
      [4, 10],
    ];
    for (const [seconds, clips] of expected)
      t.equal(timing.packetVectors(seconds), clips * clip, `${seconds} s`);
  }
});
