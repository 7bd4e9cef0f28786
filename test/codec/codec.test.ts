/** The whole path on the bundled samples, and everything that can go wrong on it. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { CODINGS, readStream } from '../../src/bitstream/index.js';
import { readSafetensors } from '../../src/checkpoints/index.js';
import { requireLength } from '../../src/codec/timing.js';
import { AcomError } from '../../src/index.js';
import { wordErrors, wordsOf } from '../../src/tasks/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { loadCommands, modelFile, noise, readSamples } from '../support/commands.js';

const model = await loadCommands();
const encoder = await model.deviceEncoder();
const decoder = await model.cloudDecoder();
const uncut = await model.uncutRecognizer();
const samples = readSamples();
const RATE = 8000;

t.test('bundled samples: the words that were said, at under 130 bit/s', async (t) => {
  for (const { path, samples: sound, sampleRate, transcript } of samples) {
    const bytes = encoder.encode(sound, sampleRate);
    const heard = decoder.decode(bytes);
    t.equal(heard.text, transcript, path);
    // The network was adapted to its quantiser; without it, it now and then hears a word twice.
    const plain = uncut.transcribe(sound, sampleRate).text;
    t.ok(wordErrors(wordsOf(transcript), wordsOf(plain)) <= 1, `${path}, uncut: ${plain}`);
    const seconds = sound.length / sampleRate;
    t.ok((8 * bytes.length) / seconds < 130, `${path}: ${((8 * bytes.length) / seconds).toFixed(0)} bit/s`);
    t.ok(Math.abs(heard.seconds - seconds) < 1e-3);
    t.same(heard.missing, []);
    t.same(heard.warnings, []);
    for (const [i, { start, end, confidence }] of heard.words.entries()) {
      t.ok(start < end && end <= seconds && start >= (heard.words[i - 1]?.end ?? 0), 'times in order');
      t.ok(confidence > 0 && confidence <= 1);
    }
    t.equal(decoder.decode(bytes, { beam: 8 }).text, transcript, `${path}, beam`);
  }
});

t.test('three seconds stay under 130 bit/s whatever they hold', async (t) => {
  const speech = samples[0]!;
  const cases = {
    speech: speech.samples.subarray(0, 3 * RATE),
    noise: noise(3 * RATE),
    silence: new Float32Array(3 * RATE),
    chirp: Float32Array.from({ length: 3 * RATE }, (_, n) => Math.sin((n * n) / 40_000)),
  };
  for (const [what, sound] of Object.entries(cases)) {
    const bytes = encoder.encode(sound, RATE);
    t.ok(
      (8 * bytes.length) / 3 < 130,
      `${what}: ${bytes.length} bytes, ${((8 * bytes.length) / 3).toFixed(0)} bit/s`,
    );
  }
});

t.test('pieces of any length give the bytes of the whole', async (t) => {
  const long = noise(30 * RATE);
  const cases: [Float32Array, number][] = [
    [samples[4]!.samples, samples[4]!.sampleRate],
    [long, RATE],
  ];
  for (const [sound, rate] of cases) {
    const whole = Buffer.from(encoder.encode(sound, rate, { codebooks: 2 }));
    const random = createRandom(3);
    for (let run = 0; run < 2; run++) {
      const stream = encoder.stream(rate, { codebooks: 2 });
      for (let at = 0; at < sound.length; ) {
        const size = Math.floor(random() ** 3 * 60_000);
        stream.push(sound.subarray(at, at + size));
        at += size;
      }
      t.ok(whole.equals(stream.finish()), `${sound.length} samples`);
    }
  }
});

t.test('fewer codebooks: encoded so, cut so, or decoded so', async (t) => {
  const { samples: sound, sampleRate } = samples[1]!;
  const two = encoder.encode(sound, sampleRate, { codebooks: 2, packetSeconds: 1 });
  const one = encoder.encode(sound, sampleRate, { codebooks: 1, packetSeconds: 1 });
  t.same(decoder.coder.truncate(two, 1), one);
  t.same(decoder.decode(two, { codebooks: 1 }).words, decoder.decode(one).words);
  t.equal(decoder.decode(two).codebooks, 2);
});

t.test('lengths from one sample on', async (t) => {
  t.same(decoder.decode(encoder.encode(new Float32Array(0), RATE)), {
    text: '',
    words: [],
    seconds: 0,
    codebooks: model.config.quantizer.defaultCodebooks,
    missing: [],
    warnings: [],
  });
  t.equal(uncut.transcribe(new Float32Array(0), RATE).text, '');
  for (const length of [1, 2, 79, 80, 159, 160, 161, 320, 639, 640, 641, 1279, 1280, 8000]) {
    const bytes = encoder.encode(noise(length), RATE, { codebooks: 2 });
    const { header, indices } = decoder.coder.read(bytes);
    t.equal(header.samples, length);
    t.equal(indices.shape[0], encoder.coder.timing.vectors(length), `${length} samples`);
    t.type(decoder.decode(bytes).text, 'string');
  }
});

t.test('recordings longer than a window', async (t) => {
  const { samples: sound, transcript } = samples[0]!;
  const repeats = 12;
  const long = new Float32Array(repeats * sound.length);
  for (let i = 0; i < repeats; i++) long.set(sound, i * sound.length);
  const bytes = encoder.encode(long, RATE);
  const heard = decoder.decode(bytes);
  const expected = new Array<string[]>(repeats).fill(wordsOf(transcript)).flat();
  for (const [what, text] of [
    ['codec', heard.text],
    ['uncut', uncut.transcribe(long, RATE).text],
  ] as const) {
    const errors = wordErrors(expected, wordsOf(text));
    t.ok(errors <= 2, `${what}: ${errors} errors in ${expected.length} words, ${heard.seconds} s in windows`);
  }
  t.ok((8 * bytes.length) / heard.seconds < 105, `${((8 * bytes.length) / heard.seconds).toFixed(1)} bit/s`);
  t.equal(readStream(bytes).packets.length, Math.ceil(heard.seconds / 30), 'packets of 30 s');
});

t.test('any sample rate and the same words', async (t) => {
  const { samples: sound, sampleRate, transcript } = samples[2]!;
  const { resample } = await import('../../src/index.js');
  for (const rate of [8000, 11025, 16000, 44100, 48000, 192000]) {
    const bytes = encoder.encode(resample(sound, sampleRate, rate), rate);
    t.equal(decoder.decode(bytes).text, transcript, String(rate));
  }
});

t.test('samples that are no sound', async (t) => {
  const broken = noise(1000);
  broken[700] = Number.NaN;
  t.throws(() => encoder.encode(broken, RATE), {
    code: 'ACOM_AUDIO',
    message: /sample 700 \(0\.087 s\) is NaN/,
  });
  const stream = encoder.stream(16000);
  stream.push(noise(500));
  t.throws(() => stream.push(broken), { code: 'ACOM_AUDIO', message: /sample 1200/ });
  broken[700] = Infinity;
  t.throws(() => encoder.encode(broken, RATE), { code: 'ACOM_AUDIO' });
  for (const rate of [0, 7.5, Number.NaN, 1e9])
    t.throws(() => encoder.encode(noise(10), rate), { code: 'ACOM_AUDIO' });
  for (const rate of [RATE, 16000]) {
    for (const level of [3.4e38, -1e30, 1.1e6]) {
      broken[700] = level;
      const message = /sample 700 .*nominally from -1 to 1, at most 1000000/;
      t.throws(() => encoder.encode(broken, rate), { code: 'ACOM_AUDIO', message }, `${level} at ${rate}`);
      t.throws(() => uncut.transcribe(broken, rate), { code: 'ACOM_AUDIO', message });
    }
  }
  const { samples: sound, transcript } = samples[0]!;
  const whole = sound.map((x) => 32_768 * x);
  t.ok(encoder.encode(whole, RATE), 'whole numbers of 16 bits are still samples');
  t.equal(decoder.decode(encoder.encode(sound, RATE)).text, transcript);
});

t.test('arguments of the wrong type: a usage error that says what to do', async (t) => {
  const sound = noise(800);
  const bytes = encoder.encode(sound, RATE);
  const wav = new Uint8Array(100);
  const wrongSamples: [unknown, RegExp][] = [
    [undefined, /Float32Array, not undefined/],
    [null, /Float32Array, not null/],
    [wav, /Float32Array, not a Uint8Array; for a recording's file use readWav or readRecording/],
    [wav.buffer, /Float32Array, not an ArrayBuffer; for a recording's file use readWav/],
    [[0, 0.5], /not an Array; use Float32Array\.from\(samples\)/],
    [new Float64Array(5), /not a Float64Array; use Float32Array\.from\(samples\)/],
    [new Int16Array(5), /not an Int16Array; divide whole numbers by their full scale/],
    ['in.wav', /Float32Array, not a String/],
  ];
  for (const [wrong, message] of wrongSamples) {
    const given = wrong as Float32Array;
    const expected = { code: 'ACOM_USAGE', message };
    t.throws(() => encoder.encode(given, RATE), expected, `encode, ${message}`);
    t.throws(() => encoder.quantize(given, RATE), expected);
    t.throws(() => encoder.stream(RATE).push(given), expected);
    t.throws(() => uncut.transcribe(given, RATE), expected);
  }
  for (const wrong of [null, 5, 'two']) {
    const options = wrong as unknown as object;
    const expected = {
      code: 'ACOM_USAGE',
      message: /the options must be an object, not (null|a Number|a String)/,
    };
    t.throws(() => encoder.encode(sound, RATE, options), expected);
    t.throws(() => encoder.quantize(sound, RATE, options), expected);
    t.throws(() => encoder.stream(RATE, options), expected);
    t.throws(() => uncut.transcribe(sound, RATE, options), expected);
    t.throws(() => decoder.decode(bytes, options), expected);
  }
  for (const wrong of [undefined, null, 'out.acom', [1, 2], new Float32Array(4)]) {
    const given = wrong as unknown as Uint8Array;
    const expected = { code: 'ACOM_USAGE', message: /must be a Uint8Array or an ArrayBuffer, not/ };
    t.throws(() => decoder.decode(given), expected);
    t.throws(() => decoder.coder.rates(given), expected);
  }
  const fetched = bytes.slice().buffer;
  t.same(decoder.decode(fetched), decoder.decode(bytes), 'what fetch gives is bytes');
  t.same(decoder.coder.rates(fetched), decoder.coder.rates(bytes));
});

t.test('a stretch 80 dB below the largest sounds like silence', async (t) => {
  const { samples: sound } = samples[0]!;
  const ending = (level: number) => {
    const recording = new Float32Array(8 * RATE);
    recording.set(sound);
    noise(recording.length - sound.length).forEach((x, i) => {
      recording[sound.length + i] = level * 10 * x;
    });
    return Buffer.from(uncut.logProbabilities(recording, RATE).data.buffer);
  };
  const silence = ending(0);
  t.ok(silence.equals(ending(3e-5)), 'below the floor: the very same numbers');
  t.notOk(silence.equals(ending(1e-3)), 'above it, they differ');
});

t.test('options that make no sense', async (t) => {
  const sound = noise(8000);
  for (const codebooks of [0, 5, 1.5, Number.NaN]) {
    t.throws(() => encoder.encode(sound, RATE, { codebooks }), {
      code: 'ACOM_USAGE',
      message: /use a whole number from 1 to 4/,
    });
  }
  for (const packetSeconds of [0, -1, Number.NaN, 1e9]) {
    t.throws(() => encoder.encode(sound, RATE, { packetSeconds }), { code: 'ACOM_USAGE' });
  }
  const bytes = encoder.encode(sound, RATE, { codebooks: 1 });
  t.throws(() => decoder.decode(bytes, { codebooks: 2 }), { code: 'ACOM_USAGE' });
  t.throws(() => decoder.decode(bytes, { beam: 0 }), { code: 'ACOM_USAGE' });
  const stream = encoder.stream(RATE);
  stream.finish();
  t.throws(() => stream.push(sound), { code: 'ACOM_USAGE' });
  t.throws(() => stream.finish(), { code: 'ACOM_USAGE' });
});

t.test('a flipped bit anywhere: a typed error, or the untouched packets and a warning', async (t) => {
  const { samples: sound, sampleRate } = samples[3]!;
  for (const packetSeconds of [30, 1, 0.4]) {
    const bytes = encoder.encode(sound, sampleRate, { packetSeconds });
    const good = decoder.coder.read(bytes).indices.data;
    let [silent, wrong, errors, partly] = [0, 0, 0, 0];
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 128 >> (bit & 7);
      try {
        const { indices, warnings } = decoder.coder.read(damaged);
        if (warnings.length === 0) silent++;
        if (indices.data.length !== good.length || indices.data.some((v, i) => v !== -1 && v !== good[i]))
          wrong++;
        partly++;
      } catch (error) {
        if (!(error instanceof AcomError)) wrong++;
        errors++;
      }
    }
    t.equal(silent, 0, `${packetSeconds} s: none passes in silence`);
    t.equal(wrong, 0, `${packetSeconds} s: none gives other codewords (${errors} errors, ${partly} partly)`);
    t.ok(packetSeconds === 30 ? partly === 0 : partly > errors);
  }
});

t.test('words outside a damaged packet are still heard, and the loss is reported', async (t) => {
  const { samples: sound, sampleRate, transcript } = samples[0]!;
  const bytes = encoder.encode(sound, sampleRate, { packetSeconds: 1 });
  const whole = decoder.decode(bytes);
  t.equal(whole.text, transcript);
  const damaged = bytes.slice();
  damaged[Math.floor(bytes.length / 2)]! ^= 1;
  const heard = decoder.decode(damaged);
  t.equal(heard.missing.length, 1);
  t.match(heard.warnings[0], /1 of \d+ packets/);
  const [lost] = heard.missing;
  const far = (time: number) => time < lost!.start - 1 || time > lost!.end + 1;
  const expected = whole.words.filter(({ start }) => far(start)).map(({ word }) => word);
  const got = heard.words.filter(({ start }) => far(start)).map(({ word }) => word);
  t.same(got, expected);
  t.ok(expected.length > 0);
});

t.test('a header that claims days is a damaged stream, not a wrong argument', async (t) => {
  const { samples: sound, sampleRate } = samples[0]!;
  for (const packetSeconds of [30, 1]) {
    const bytes = encoder.encode(sound, sampleRate, { packetSeconds });
    const codes = new Set<string>();
    for (let bit = 0; bit < 8 * 12; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 128 >> (bit & 7);
      try {
        decoder.decode(damaged);
      } catch (error) {
        codes.add((error as AcomError).code);
      }
    }
    t.same([...codes].sort(), ['ACOM_CORRUPT', 'ACOM_FORMAT'], `${packetSeconds} s`);
  }
  const days = Uint8Array.from([
    0xac, 0xa1, 0x10, 0x97, 0xef, 0x92, 0xff, 0xff, 0xff, 0xff, 0xff, 13, 0, 0, 0,
  ]);
  t.throws(() => decoder.decode(days), {
    code: 'ACOM_FORMAT',
    message: /claims 34359738 s, more than the 86400/,
  });
  t.throws(() => decoder.coder.rates(days), { code: 'ACOM_FORMAT' });
  const { timing } = encoder.coder;
  t.throws(() => requireLength(timing, 86_401 * RATE), {
    code: 'ACOM_USAGE',
    message: /split it into several/,
  });
});

t.test('truncated, empty, foreign', async (t) => {
  const { samples: sound, sampleRate } = samples[0]!;
  const bytes = encoder.encode(sound, sampleRate, { packetSeconds: 1 });
  t.throws(() => decoder.decode(new Uint8Array(0)), { code: 'ACOM_FORMAT', message: /empty/ });
  t.throws(() => decoder.decode(new TextEncoder().encode('RIFF....WAVE')), {
    code: 'ACOM_FORMAT',
    message: /no \.acom/,
  });
  const cut = decoder.decode(bytes.subarray(0, bytes.length - 20));
  t.equal(cut.missing.length, 1);
  t.equal(cut.missing[0]?.end, cut.seconds, 'the end is missing');
  for (let length = 0; length < bytes.length; length++) {
    try {
      const { warnings } = decoder.coder.read(bytes.subarray(0, length));
      if (warnings.length === 0) t.fail(`${length} bytes pass for the whole`);
    } catch (error) {
      if (!(error instanceof AcomError)) throw error;
    }
  }
  const longer = new Uint8Array([...bytes, 1, 2, 3]);
  t.match(decoder.decode(longer).warnings[0], /3 bytes after the last packet/);
});

t.test('10,000 damaged streams: typed errors only', async (t) => {
  const { fuzz } = await import('../support/fuzz.js');
  const sound = samples[1]!;
  const originals = [30, 1].flatMap((packetSeconds) =>
    [1, 2].map((codebooks) => encoder.encode(sound.samples, sound.sampleRate, { packetSeconds, codebooks })),
  );
  const result = await fuzz(originals, 10_000, (bytes) => decoder.coder.read(bytes));
  t.same(result.crashes, []);
  t.ok(result.mostBytes < 16 << 20, `${result.mostBytes} bytes at most`);
  t.ok(result.slowestMilliseconds < 2000, `${result.slowestMilliseconds.toFixed(1)} ms at most`);
});

t.test('a stream of random indices comes back, whatever its packets', async (t) => {
  const property = fc.property(
    fc.array(fc.nat(255), { maxLength: 200 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 100 }),
    fc.constantFrom(...CODINGS),
    (raw, codebooks, packetVectors, coding) => {
      const vectors = Math.floor(raw.length / codebooks);
      const indices = raw.slice(0, vectors * codebooks);
      const length = vectors === 0 ? 0 : vectors * 2560 - 1280;
      const bytes = encoder.coder.write(indices, length, { codebooks, packetVectors, coding });
      return decoder.coder.read(bytes).indices.data.join() === indices.join();
    },
  );
  fc.assert(property, { seed: 7 });
  t.pass();
});

t.test('the rates, counted from the tables in the file and the bytes of the stream', async (t) => {
  const { samples: sound, sampleRate } = samples[5]!;
  const { tensors } = readSafetensors(new Uint8Array(readFileSync(modelFile)));
  const frequencies = tensors.get('entropy.frequencies')!;
  for (const codebooks of [1, 2]) {
    const bytes = encoder.encode(sound, sampleRate, { codebooks, coding: 'order-0' });
    const seconds = sound.length / sampleRate;
    const indices = encoder.quantize(sound, sampleRate, { codebooks });
    const vectors = indices.shape[0]!;
    let bits = 0;
    for (let n = 0; n < vectors; n++) {
      for (let stage = 0; stage < codebooks; stage++) {
        const parts = frequencies.get(stage, indices.get(n, stage)) as number;
        t.ok(parts > 0, 'no codeword here that training never saw');
        bits -= Math.log2(parts / 2 ** 15);
      }
    }
    const rates = decoder.coder.rates(bytes);
    const close = (got: number, expected: number, what: string) =>
      t.ok(Math.abs(got - expected) < 1e-9 * expected, `${what}: ${got}, expected ${expected}`);
    t.equal(rates.bytes, bytes.length);
    t.equal(rates.codebooks, codebooks);
    close(rates.seconds, seconds, 'seconds');
    close(rates.rawBitRate, (vectors * codebooks * 8) / seconds, 'raw');
    close(rates.entropyBitRate, bits / seconds, 'entropy');
    close(rates.codedBitRate, (8 * bytes.length) / seconds, 'coded');
    // Header, checksum and whole bytes are all that stands between.
    t.ok(8 * bytes.length - bits > 8 * 9 && 8 * bytes.length - bits < 8 * 16, `${8 * bytes.length}, ${bits}`);
  }
});

t.test('at the border of two windows the codewords and classes are those of one window', async (t) => {
  const { vectorsPerSecond } = encoder.coder.timing;
  const framesPerVector = model.config.quantizer.pooling;
  // 32 s are kept in windows from 0 to 12 s and on; 8 to 24 s alone are one window, with the border inside.
  const [border, from, to] = [12, 8, 24].map((seconds) => Math.round(seconds * vectorsPerSecond)) as [
    number,
    number,
    number,
  ];
  const near = 3;
  let [codewords, classes, all] = [0, 0, 0];
  for (const { samples: sound } of [samples[2]!, samples[5]!]) {
    const long = Float32Array.from({ length: 32 * RATE }, (_, n) => sound[n % sound.length]!);
    const split = encoder.quantize(long, RATE);
    const alone = encoder.quantize(long.subarray(8 * RATE, 24 * RATE), RATE);
    const best = (indices: typeof split) => {
      const vectors = indices.shape[0]!;
      const logProbs = decoder.logProbabilities(indices, vectors * framesPerVector);
      return (vector: number) => {
        const row = Array.from({ length: logProbs.shape[1]! }, (_, c) =>
          logProbs.get(vector * framesPerVector, c),
        );
        return row.indexOf(Math.max(...row));
      };
    };
    const [inWindows, inOne] = [best(split), best(split.lo(from, 0).hi(to - from, 1))];
    for (let vector = border - near; vector < border + near; vector++, all++) {
      if (split.get(vector, 0) === alone.get(vector - from, 0)) codewords++;
      if (inWindows(vector) === inOne(vector - from)) classes++;
    }
  }
  t.equal(all, 12);
  t.ok(codewords >= 11, `${codewords} of ${all} codewords`);
  t.ok(classes >= 11, `${classes} of ${all} classes`);
});
