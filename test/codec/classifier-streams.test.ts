/** Streams of classifiers: lengths, rates by hand, lost packets, damage, and streams of others. */
import t from 'tap';
import { readStream, writeStream } from '../../src/bitstream/index.js';
import { readSafetensors } from '../../src/checkpoints/index.js';
import { loadCodecModel } from '../../src/codec/index.js';
import { MOST_VECTORS } from '../../src/codec/timing.js';
import { CLIP, fitted, RATE, sound, tinyCnn14, tinyKeywords } from '../support/classifiers.js';
import { loadCommands } from '../support/commands.js';
import { fuzz } from '../support/fuzz.js';

const training = [1, 2, 3].map((seed) => sound(2 * CLIP, seed));
const file = await fitted(
  await tinyCnn14(),
  { splitLayer: 2, codebooks: 2, codewords: 16, vectors: 'position', groups: 2, pooling: 3 },
  training,
);
const model = await loadCodecModel(file);
const [device, cloud] = [await model.deviceEncoder(), await model.cloudClassifier()];
const uncut = await model.uncutClassifier();
/** 10 steps of 4 bands in pools of 3. */
const VECTORS = 16;

t.test('lengths from no sample on', async (t) => {
  const nothing = device.encode(new Float32Array(0), RATE);
  t.same(cloud.classify(nothing), {
    label: null,
    confidence: 0,
    classes: [],
    clips: [],
    seconds: 0,
    codebooks: 2,
    missing: [],
    warnings: [],
  });
  t.same(uncut.classify(new Float32Array(0), RATE), {
    label: null,
    confidence: 0,
    classes: [],
    clips: [],
    seconds: 0,
  });
  t.match(cloud.coder.rates(nothing), { rawBitRate: 0, entropyBitRate: 0, codedBitRate: 0 });
  for (const length of [
    1,
    79,
    80,
    239,
    240,
    241,
    1599,
    1600,
    CLIP - 1,
    CLIP,
    CLIP + 1,
    1.5 * CLIP,
    2 * CLIP,
  ]) {
    const samples = sound(length, 7);
    const bytes = device.encode(samples, RATE);
    const verdict = cloud.classify(bytes);
    const clips = length < 1.5 * CLIP ? 1 : 2;
    t.equal(verdict.clips.length, clips, `${length} samples`);
    t.equal(verdict.seconds, length / RATE);
    t.same(verdict.missing, []);
    t.equal(verdict.clips[clips - 1]!.end, Math.min(length, clips * CLIP) / RATE);
    t.equal(uncut.classify(samples, RATE).clips.length, clips);
    t.equal(cloud.coder.read(bytes).indices.shape[0], device.coder.timing.vectors(length));
  }
});

t.test('any sample rate: the clips are those of the duration', async (t) => {
  for (const rate of [4000, 11_025, 16_000, 48_000]) {
    const samples = sound(Math.round(2.6 * 0.4 * rate), 8, rate);
    const verdict = cloud.classify(device.encode(samples, rate));
    t.equal(verdict.clips.length, 3, `${rate}`);
    t.ok(Math.abs(verdict.seconds - 1.04) < 1e-3);
  }
});

t.test('samples that are no sound, and streams that are finished', async (t) => {
  const broken = sound(CLIP, 1);
  broken[700] = Number.NaN;
  for (const half of [device, uncut]) {
    const stream = half.stream(RATE);
    t.throws(() => stream.push(broken), { code: 'ACOM_AUDIO', message: /sample 700 \(0\.087 s\) is NaN/ });
    stream.finish();
    t.throws(() => stream.push(sound(5, 1)), { code: 'ACOM_USAGE', message: /finished/ });
    t.throws(() => stream.finish(), { code: 'ACOM_USAGE' });
  }
  t.throws(() => cloud.classify(device.encode(sound(CLIP, 1), RATE), 5 as unknown as object), {
    code: 'ACOM_USAGE',
  });
  t.throws(() => cloud.classify('x' as unknown as Uint8Array), { code: 'ACOM_USAGE' });
});

t.test('the rates with groups, counted from the tables in the file and the bytes', async (t) => {
  const frequencies = readSafetensors(file).tensors.get('entropy.frequencies')!;
  const samples = sound(3 * CLIP, 4);
  for (const codebooks of [1, 2]) {
    const bytes = device.encode(samples, RATE, { codebooks });
    const indices = device.quantize(samples, RATE, { codebooks });
    t.same(indices.shape, [3 * VECTORS, 2 * codebooks]);
    let bits = 0;
    for (let n = 0; n < indices.shape[0]!; n++) {
      for (let stage = 0; stage < 2 * codebooks; stage++) {
        bits -= Math.log2((frequencies.get(stage, indices.get(n, stage)) as number) / 2 ** 15);
      }
    }
    const rates = cloud.coder.rates(bytes);
    t.equal(rates.seconds, 1.2);
    t.equal(rates.codebooks, codebooks);
    t.ok(Math.abs(rates.rawBitRate - (3 * VECTORS * 2 * codebooks * 4) / 1.2) < 1e-9, 'four bits an index');
    t.ok(
      Math.abs(rates.entropyBitRate - bits / 1.2) < 1e-9,
      `${rates.entropyBitRate}, expected ${bits / 1.2}`,
    );
    t.equal(rates.codedBitRate, (8 * bytes.length) / 1.2);
  }
});

/** The stream with one byte of the given packets changed: the last of each. */
function withLost(bytes: Uint8Array, lost: readonly number[]): Uint8Array {
  const { packets } = readStream(bytes);
  const damaged = bytes.slice();
  // From the end: runs of packets, a byte of length and two of checksum each.
  let end = bytes.length;
  for (let number = packets.length - 1; number >= 0; number--) {
    if (lost.includes(number)) damaged[end - 1]! ^= 1;
    end -= packets[number]!.run.length + 3;
  }
  return damaged;
}

t.test('a lost packet costs its clips, and the verdict is that of the others', async (t) => {
  const samples = sound(5.75 * CLIP, 13);
  const each = device.encode(samples, RATE, { packetSeconds: 0.4 });
  t.equal(readStream(each).header.vectorsPerPacket, VECTORS);
  t.equal(readStream(each).packets.length, 6);
  const whole = cloud.classify(each);
  for (const lost of [[0], [3], [5], [1, 2], [0, 2, 4], [0, 1, 2, 3, 4]]) {
    const verdict = cloud.classify(withLost(each, lost));
    t.same(
      verdict.missing.map(({ start, end }) => [start, end].map((s) => s.toFixed(6))),
      lost.map((n) => [n * 0.4, Math.min(5.75 * 0.4, (n + 1) * 0.4)].map((s) => s.toFixed(6))),
      `packets ${lost}`,
    );
    const rest = whole.clips.filter((_, n) => !lost.includes(n));
    t.same(verdict.clips, rest);
    t.equal(verdict.seconds, whole.seconds);
    t.match(verdict.warnings, [
      new RegExp(`^${lost.length} of 6 packets are damaged or missing: clips in them`),
    ]);
    if (rest.length === 1) t.equal(verdict.label, rest[0]!.label);
  }
  t.throws(() => cloud.classify(withLost(each, [0, 1, 2, 3, 4, 5])), {
    code: 'ACOM_CORRUPT',
    message: /none of its packets has a right checksum/,
  });
  const pairs = device.encode(samples, RATE, { packetSeconds: 0.9 });
  t.equal(readStream(pairs).packets.length, 3);
  t.same(
    cloud.classify(withLost(pairs, [1])).missing.map(({ start }) => start.toFixed(6)),
    ['0.800000', '1.200000'],
    'two clips in a packet',
  );
  const longer = new Uint8Array([...each, 9, 9]);
  t.match(cloud.classify(longer).warnings, [/2 bytes after the last packet/]);
});

t.test('5,000 damaged streams: typed errors only', async (t) => {
  const originals = [30, 0.4].flatMap((packetSeconds) =>
    [1, 2].map((codebooks) => device.encode(sound(3 * CLIP, 5), RATE, { packetSeconds, codebooks })),
  );
  const result = await fuzz(originals, 5000, (bytes) => cloud.classify(bytes));
  t.same(result.crashes, []);
  t.ok(result.accepted > 0 && result.rejected > 2000, `${result.accepted} of 5000 accepted`);
  t.ok(result.mostBytes < 16 << 20, `${result.mostBytes} bytes at most`);
});

t.test('streams of another model, and with stages that are no codebooks', async (t) => {
  const bytes = device.encode(sound(CLIP, 1), RATE);
  const other = await loadCodecModel(
    await fitted(await tinyCnn14({}, 5), { splitLayer: 2, codebooks: 2, codewords: 16 }, training),
  );
  const mismatch = {
    code: 'ACOM_MODEL_MISMATCH',
    message: /this is tiny-cnn14, .*decode it with the model that encoded/,
  };
  t.not(other.fingerprint, model.fingerprint);
  const [theirs, cloudOfOther] = [await other.deviceEncoder(), await other.cloudClassifier()];
  t.throws(() => cloud.classify(theirs.encode(sound(CLIP, 1), RATE)), mismatch);
  t.throws(() => cloudOfOther.classify(bytes), mismatch);
  const commands = await loadCommands();
  t.throws(() => cloud.classify(new Uint8Array([0xac, 0x11])), { code: 'ACOM_FORMAT' });
  const words = (await commands.deviceEncoder()).encode(sound(8000, 1), RATE);
  t.throws(() => cloud.classify(words), { code: 'ACOM_MODEL_MISMATCH' });
  const { header, packets } = readStream(bytes);
  const odd = writeStream(
    { ...header, codebooks: 3 },
    packets.map((packet) => ({ ...packet!, stages: 3 })),
  );
  t.throws(() => cloud.classify(odd), {
    code: 'ACOM_MODEL_MISMATCH',
    message: /3 stages; the model has 4, 2 for each codebook/,
  });
});

t.test('the wrong half for the task: the message says which one to use', async (t) => {
  await t.rejects(model.cloudDecoder(), {
    code: 'ACOM_MODEL',
    message:
      /tiny-cnn14 is a model for classification, not for recognition: use cloudClassifier or uncutClassifier/,
  });
  await t.rejects(model.uncutRecognizer(), { code: 'ACOM_MODEL', message: /acom classify/ });
  const commands = await loadCommands();
  await t.rejects(commands.cloudClassifier(), {
    code: 'ACOM_MODEL',
    message:
      /commands is a model for recognition, not for classification: use cloudDecoder or uncutRecognizer/,
  });
  await t.rejects(commands.uncutClassifier(), { code: 'ACOM_MODEL' });
});

t.test('a header that claims more vectors than a stream carries', async (t) => {
  // Each position of each frame is a vector: a day of them are gigabytes of indices.
  const fine = await loadCodecModel(
    await fitted(
      await tinyCnn14(),
      { splitLayer: 0, codebooks: 1, codewords: 2, vectors: 'position' },
      training,
    ),
  );
  const coder = (await fine.deviceEncoder()).coder;
  const most = Math.floor(MOST_VECTORS / coder.timing.vectorsPerSecond);
  t.ok(most < 24 * 3600, `${most} s`);
  const claiming = (seconds: number) =>
    coder.write(new Int32Array(656), seconds * RATE, { codebooks: 1, packetVectors: 656 });
  t.throws(() => coder.read(claiming(most + 1)), {
    code: 'ACOM_FORMAT',
    message: /the header claims \d+ s, more than/,
  });
  t.throws(() => coder.rates(claiming(24 * 3600)), { code: 'ACOM_FORMAT' });
  const { requireLength } = await import('../../src/codec/timing.js');
  requireLength(coder.timing, most * RATE);
  t.throws(() => requireLength(coder.timing, (most + 1) * RATE), {
    code: 'ACOM_USAGE',
    message: /split it into several/,
  });
});

t.test('keyword networks: an utterance is all that fits, a shorter one is filled up', async (t) => {
  for (const name of ['plain', 'separable'] as const) {
    const rate = 16_000;
    const network = await tinyKeywords(name);
    const recordings = [1, 2].map((seed) => sound(3000, seed, rate));
    const keywords = await loadCodecModel(
      await fitted(network, { splitLayer: 1, codebooks: 2, codewords: 4 }, recordings, rate),
    );
    const [encoder, classifier] = [await keywords.deviceEncoder(), await keywords.cloudClassifier()];
    for (const [length, clips] of [
      [1, 1],
      [500, 1],
      [999, 1],
      [1000, 1],
      [1499, 1],
      [1500, 2],
      [3000, 3],
    ] as const) {
      const verdict = classifier.classify(encoder.encode(sound(length, 3, rate), rate));
      t.equal(verdict.clips.length, clips, `${name}, ${length} samples`);
    }
    // Filled up with silence behind, as the network's makers did.
    const short = sound(700, 4, rate);
    const padded = new Float32Array(1000);
    padded.set(short);
    t.same(
      classifier.classify(encoder.encode(short, rate)).classes,
      classifier.classify(encoder.encode(padded, rate)).classes,
    );
  }
});
