/** Evaluations by hand: scores, rates with groups, entropies, costs, and what a recording comes to. */
import t from 'tap';
import { type CodecConfig, macsOf, type NetworkModelConfig } from '../../src/codec/index.js';
import {
  codebooksOf,
  type Outcome,
  openSubject,
  poolEvaluations,
  runRecording,
  type Subject,
  summarize,
} from '../../src/evaluation/index.js';
import { CLIP, fitted, RATE, sound, tinyCnn14, tinyConfig, tinyKeywords } from '../support/classifiers.js';
import { loadCommands, modelFile, readSamples } from '../support/commands.js';

const close = (
  t: { ok(value: boolean, message: string): unknown },
  got: number,
  expected: number,
  what: string,
) =>
  t.ok(
    Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
    `${what}: ${got}, expected ${expected}`,
  );

const subjectOf = (config: NetworkModelConfig): Subject => ({
  config,
  fingerprint: 7,
  uncut: () => ({ push: () => undefined, finish: () => '' }),
  halves: null,
});

const grouped: CodecConfig = {
  ...tinyConfig(),
  splitLayer: 2,
  quantizer: { codebooks: 2, codewords: 8, pooling: 1, defaultCodebooks: 2, groups: 2 },
};

const outcome = (number: number, said: string, heardUncut: string, more: Partial<Outcome> = {}): Outcome => ({
  path: `${number}.wav`,
  said,
  fingerprint: 7,
  beam: 0,
  seconds: 0.4,
  deviceMilliseconds: 4,
  cloudMilliseconds: 2,
  heardUncut,
  heard: [],
  bytes: [],
  indices: [],
  ...more,
});

t.test('a classifier with groups', async (t) => {
  // Two vectors of four stages a recording: stages 1 and 2 are the first codebook of both groups.
  const heard = [
    ['a', 'a', 'b'],
    ['a', 'b', 'a'],
    ['b', 'b', 'b'],
    ['b', 'c', 'b'],
    ['c', 'c', 'c'],
    ['c', 'a', 'c'],
    ['d', 'd', 'd'],
    ['d', 'd', 'e'],
    ['e', 'e', 'e'],
    ['e', '', 'e'],
  ] as const;
  const outcomes = heard.map(([said, first, second], n) =>
    outcome(n, said, n < 8 ? said : 'a', {
      heard: [first, second],
      bytes: [10, 10 + n],
      // Stage 1 is always the same; stage 2 is one of two; stage 3 one of four, unevenly; stage 4 one of eight.
      indices: [3, n % 2, [0, 0, 1, 2][n % 4]!, n % 8, 3, (n + 1) % 2, [0, 0, 1, 2][n % 4]!, (n + 5) % 8],
    }),
  );
  const result = summarize(outcomes, subjectOf(grouped));
  t.match(result, { task: 'classification', metric: 'accuracy', model: 'tiny-cnn14', recordings: 10 });
  close(t, result.seconds, 4, 'seconds');
  t.match(result.continuous, { count: 8, total: 10, rate: 0.8 });
  t.same(
    result.continuous.interval.map((x) => x.toFixed(3)),
    ['0.490', '0.943'],
  );
  t.same(
    result.points.map(({ k, count, total, rate }) => [k, count, total, rate]),
    [
      [1, 6, 10, 0.6],
      [2, 8, 10, 0.8],
    ],
  );
  const [one, two] = result.points;
  // 20 vectors of 2 and 4 indices of 3 bits over 4 seconds.
  close(t, one!.rawBitRate, (20 * 2 * 3) / 4, 'raw, one codebook');
  close(t, two!.rawBitRate, (20 * 4 * 3) / 4, 'raw, two codebooks');
  const entropy = (counts: readonly number[]) =>
    counts.reduce((bits, count) => bits - count * Math.log2(count / 20), 0);
  const [second, third] = [entropy([10, 10]), entropy([12, 4, 4])];
  close(t, one!.entropyBitRate, (0 + second) / 4, 'entropy, one codebook');
  // n % 8 of n = 0 .. 9 and (n + 5) % 8: counted one by one.
  const fourth = new Array<number>(8).fill(0);
  for (let n = 0; n < 10; n++) for (const index of [n % 8, (n + 5) % 8]) fourth[index]!++;
  close(t, two!.entropyBitRate, (second + third + entropy(fourth)) / 4, 'entropy, two codebooks');
  close(t, one!.codedBitRate, (8 * 100) / 4, 'coded, one codebook');
  close(t, two!.codedBitRate, (8 * 145) / 4, 'coded, two codebooks');
  close(t, result.deviceSpeed, 4000 / 40, 'device speed');
  close(t, result.cloudSpeed, 4000 / 20, 'cloud speed');
});

t.test('folds of a cross-validation, together', async (t) => {
  const indices = [1, 0, 2, 1, 0, 0, 0, 1];
  const outcomes = ['a', 'b', 'c', 'a', 'a'].map((said, n) =>
    outcome(n, said, n === 1 ? 'a' : said, { heard: ['a', said], bytes: [4 + n, 8], indices }),
  );
  const parts = [outcomes.slice(0, 2), outcomes.slice(2)].map((part) => summarize(part, subjectOf(grouped)));
  const [pooled, whole] = [poolEvaluations(parts), summarize(outcomes, subjectOf(grouped))];
  // Multiply-adds and speeds are sums of floats in another order.
  const { seconds, deviceMacs, cloudMacs, deviceSpeed, cloudSpeed, points, ...exact } = whole;
  t.match(pooled, exact);
  for (const [name, value] of Object.entries({ seconds, deviceMacs, cloudMacs, deviceSpeed, cloudSpeed })) {
    close(t, pooled[name as 'seconds'], value, name);
  }
  points.forEach(({ count, total, rate, interval, rawBitRate, codedBitRate }, n) => {
    t.match(pooled.points[n], { k: n + 1, count, total, rate, interval });
    close(t, pooled.points[n]!.rawBitRate, rawBitRate, 'raw');
    close(t, pooled.points[n]!.codedBitRate, codedBitRate, 'coded');
  });
  t.equal(poolEvaluations([whole]), whole);
  t.throws(() => poolEvaluations([]), { code: 'ACOM_USAGE' });
  const recogniser = { ...whole, task: 'recognition' } as const;
  t.throws(() => poolEvaluations([recogniser, recogniser]), { code: 'ACOM_USAGE' });
});

t.test('a network without codebooks, and nothing at all', async (t) => {
  const subject = subjectOf(tinyConfig());
  t.equal(codebooksOf(subject), 0);
  t.equal(codebooksOf(subjectOf(grouped)), 2);
  const result = summarize([outcome(0, 'a', 'a', { deviceMilliseconds: 0, cloudMilliseconds: 0 })], subject);
  t.match(result, { points: [], continuous: { count: 1, total: 1, rate: 1 }, deviceSpeed: 0, cloudSpeed: 0 });
  const empty = summarize([], subjectOf(grouped));
  t.match(empty, {
    recordings: 0,
    seconds: 0,
    continuous: { count: 0, total: 0, rate: 0, interval: [0, 1] },
  });
  for (const point of empty.points) t.match(point, { rawBitRate: 0, entropyBitRate: 0, codedBitRate: 0 });
});

t.test('words of a recogniser', async (t) => {
  const { config } = await loadCommands();
  const of = (said: string, uncut: string, [one, two]: [string, string]) => {
    const heard = [one, two, two, two];
    return outcome(0, said, uncut, { seconds: 1, heard, bytes: [5, 9, 13, 17], indices: [0, 1, 2, 3] });
  };
  const result = summarize(
    [
      of('yes no', 'yes no', ['yes', 'yes no']),
      of('one two three', 'one two', ['one four three', 'one two three four']),
    ],
    subjectOf(config),
  );
  t.match(result, { task: 'recognition', metric: 'word error rate', seconds: 2 });
  t.match(result.continuous, { count: 1, total: 5, rate: 0.2 });
  t.same(
    result.points.map(({ count, total, rate }) => [count, total, rate]),
    [
      [2, 5, 0.4],
      [1, 5, 0.2],
      [1, 5, 0.2],
      [1, 5, 0.2],
    ],
  );
});

t.test('multiply-adds of clips, by hand', async (t) => {
  /** Blocks of two convolutions of 3 x 3 on an image, and the head. */
  const block = (steps: number, bands: number, from: number, to: number) =>
    steps * bands * 9 * from * to + steps * bands * 9 * to * to;
  const clip = (frames: number) => {
    const half = Math.floor(frames / 2);
    const quarter = Math.floor(frames / 4);
    return [block(frames, 16, 1, 4), block(half, 8, 4, 6), block(quarter, 4, 6, 8), 8 * 5];
  };
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  for (const [samples, frames] of [
    [CLIP, [41]],
    [2.75 * CLIP, [41, 41, 31]],
    [1.25 * CLIP, [41]],
    // Filled up to four frames.
    [1, [4]],
    [0, []],
  ] as const) {
    for (let splitLayer = 0; splitLayer <= 3; splitLayer++) {
      const config: CodecConfig = { ...grouped, splitLayer };
      const costs = macsOf(config, samples);
      const runs = frames.map(clip);
      t.equal(costs.device, sum(runs.map((run) => sum(run.slice(0, splitLayer)))), `${samples} samples`);
      t.equal(costs.cloud, sum(runs.map((run) => sum(run.slice(splitLayer)))));
    }
  }
  const uncut = macsOf(tinyConfig(), CLIP);
  t.equal(uncut.device + uncut.cloud, sum(clip(41)), 'a network without codebooks costs the same');
});

t.test('multiply-adds of a recogniser: windows overlap, and the overlap is run twice', async (t) => {
  const { config } = await loadCommands();
  const { kindOf } = await import('../../src/nn/index.js');
  const kind = kindOf(config.network);
  const cost = (features: number) => kind.macs(config.network, 3, features);
  // Of each vector that is sent, eight steps of 96 numbers, the device makes 96 numbers and the cloud as many again.
  const projection = (features: number) => Math.ceil(features / 32) * 8 * 96 * 96;
  // 8 kHz, a hop of 80 samples, 32 features a vector, 3.125 vectors a second.
  for (const seconds of [1, 19]) {
    t.same(
      macsOf(config, seconds * 8000),
      pick(cost(1 + seconds * 100), projection(1 + seconds * 100)),
      `${seconds} s are one window`,
    );
  }
  // 44 s: vectors 0 .. 137; windows keep 38 and run 6 more on each side, the last one what is left.
  const features = 1 + 44 * 100;
  const windows = [
    [0, 44],
    [32, 82],
  ].map(([start, end]) => 32 * (end! - start!));
  windows.push(features - 32 * 70);
  const [device, cloud] = (['device', 'cloud'] as const).map((half) =>
    windows.reduce((total, length) => total + cost(length)[half], projection(features)),
  );
  t.same(macsOf(config, 44 * 8000), { device, cloud });
});

const pick = ({ device, cloud }: { device: number; cloud: number }, more: number) => ({
  device: device + more,
  cloud: cloud + more,
});

t.test('a recording through a subject that only counts', async (t) => {
  const log: string[] = [];
  const pieces = (name: string, result: unknown) => ({
    push: (samples: Float32Array) => log.push(`${name} ${samples.length}`),
    finish: () => {
      log.push(`${name} end`);
      return result;
    },
  });
  const subject = {
    ...subjectOf(grouped),
    uncut: (rate: number) => pieces(`uncut ${rate}`, 'plain'),
    halves: {
      encode: (rate: number) => pieces(`device ${rate}`, Uint8Array.from([1, 2, 3, 4])),
      decode: (bytes: Uint8Array) => `heard in ${bytes.length}`,
      indices: (bytes: Uint8Array) => [...bytes, 9],
      truncate: (bytes: Uint8Array, k: number) => bytes.slice(0, 2 * k),
    },
  } as Subject;
  const recording = {
    sampleRate: 11,
    seconds: 3,
    blocks: () => [new Float32Array(20), new Float32Array(13)],
  };
  const result = runRecording(subject, { path: 'x.wav', said: 'a', beam: 4 }, recording);
  t.match(result, {
    path: 'x.wav',
    said: 'a',
    beam: 4,
    fingerprint: 7,
    seconds: 3,
    heardUncut: 'plain',
    heard: ['heard in 2', 'heard in 4'],
    bytes: [2, 4],
    indices: [1, 2, 3, 4, 9],
  });
  t.ok(result.deviceMilliseconds >= 0 && result.cloudMilliseconds >= 0);
  t.same(log, [
    'device 11 20',
    'uncut 11 20',
    'device 11 13',
    'uncut 11 13',
    'device 11 end',
    'uncut 11 end',
  ]);
  const bare = runRecording({ ...subject, halves: null }, { path: 'x.wav', said: 'a', beam: 0 }, recording);
  t.match(bare, { heardUncut: 'plain', heard: [], bytes: [], indices: [], deviceMilliseconds: 0 });
});

t.test('subjects of real models agree with their halves', async (t) => {
  const network = await tinyCnn14();
  const file = await fitted(network, { splitLayer: 1, codebooks: 2, codewords: 4, groups: 2 }, [
    sound(CLIP, 1),
  ]);
  const samples = sound(2 * CLIP, 3);
  const recording = {
    sampleRate: RATE,
    seconds: 0.8,
    blocks: () => [samples.subarray(0, 1000), samples.subarray(1000)],
  };
  const about = { path: 'x', said: 'a', beam: 0 };
  const { loadCodecModel } = await import('../../src/codec/index.js');
  const model = await loadCodecModel(file);
  const [device, cloud] = [await model.deviceEncoder(), await model.cloudClassifier()];
  const subject = await openSubject(file);
  t.equal(subject.fingerprint, model.fingerprint);
  const result = runRecording(subject, about, recording);
  const one = device.encode(samples, RATE, { codebooks: 1 });
  const two = device.encode(samples, RATE);
  t.same(result.bytes, [one.length, two.length]);
  t.same(result.heard, [cloud.classify(one).label, cloud.classify(two).label]);
  t.equal(result.heardUncut, (await model.uncutClassifier()).classify(samples, RATE).label);
  t.same(result.indices, [...device.quantize(samples, RATE).data]);

  const plain = await openSubject(network);
  t.equal(plain.halves, null);
  t.not(
    plain.fingerprint,
    (await openSubject(await tinyKeywords('plain'))).fingerprint,
    'networks are told apart',
  );
  t.match(runRecording(plain, about, recording), { heardUncut: result.heardUncut, heard: [] });
  for (const wrong of [file, network]) {
    await t.rejects(openSubject(wrong, { beam: 4 }), {
      code: 'ACOM_USAGE',
      message: /there is no beam to search with/,
    });
  }
  const split = await model.split();
  await t.rejects(openSubject(split.device), { code: 'ACOM_MODEL', message: /load the whole model/ });

  const [sample] = readSamples();
  const commands = await openSubject(modelFile, { beam: 2 });
  const words = runRecording(commands, about, {
    sampleRate: sample!.sampleRate,
    seconds: sample!.samples.length / sample!.sampleRate,
    blocks: () => [sample!.samples],
  });
  t.same(words.heard.slice(1), Array(3).fill(sample!.transcript));
});
