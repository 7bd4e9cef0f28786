/** Codebooks fitted to a network: the sample that is kept, the same bytes for the same seed, and what can't be fitted. */
import t from 'tap';
import { readSafetensors } from '../../src/checkpoints/index.js';
import { loadCodecModel, loadNetworkModel } from '../../src/codec/index.js';
import { view } from '../../src/tensor/index.js';
import { fitCodec } from '../../src/training/index.js';
import { Reservoir } from '../../src/training/reservoir.js';
import { CLIP, fitted, RATE, sound, tinyCnn14 } from '../support/classifiers.js';
import { modelFile, readSamples } from '../support/commands.js';

const network = await tinyCnn14();
const recordings = [1, 2, 3].map((seed) => sound(2 * CLIP, seed));

t.test('a reservoir keeps all that fit, and of more each with the same chance', async (t) => {
  const numbers = (count: number) =>
    view(
      Float32Array.from({ length: 2 * count }, (_, i) => i >> 1),
      [count, 2],
    );
  const all = new Reservoir(2, 5000, 1);
  all.add(numbers(3000));
  t.equal(all.size, 3000);
  t.same([...all.vectors().data], [...numbers(3000).data], 'in order, past the first memory');

  const kept = new Int32Array(100);
  const runs = 2000;
  for (let seed = 0; seed < runs; seed++) {
    const reservoir = new Reservoir(2, 10, seed);
    // In pieces, which must not matter.
    reservoir.add(numbers(100).hi(30));
    reservoir.add(numbers(100).lo(30).hi(70));
    t.equal(reservoir.size, 10);
    const seen = new Set<number>();
    const { data } = reservoir.vectors();
    for (let n = 0; n < 10; n++) {
      if (data[2 * n] !== data[2 * n + 1]) t.fail('a vector is torn');
      seen.add(data[2 * n]!);
    }
    if (seen.size !== 10) t.fail('a vector is kept twice');
    for (const n of seen) kept[n]!++;
  }
  // Binomial with p = 0.1: a deviation of 13.4; five of them are seen once in 10^6.
  const [mean, deviation] = [runs / 10, Math.sqrt(runs * 0.1 * 0.9)];
  for (const count of kept) t.ok(Math.abs(count - mean) < 5 * deviation, `${count} times, expected ${mean}`);
});

t.test('a reservoir of views: rows that are not next to one another', async (t) => {
  const wide = view(
    Float32Array.from({ length: 12 }, (_, i) => i),
    [3, 4],
  );
  const reservoir = new Reservoir(2, 10, 1);
  reservoir.add(wide.lo(0, 1).hi(3, 2));
  t.same([...reservoir.vectors().data], [1, 2, 5, 6, 9, 10]);
});

t.test('the same recordings and seed give the same bytes, another seed others', async (t) => {
  const options = { splitLayer: 1, codebooks: 2, codewords: 8, groups: 2 } as const;
  const first = await fitted(network, options, recordings);
  t.same(await fitted(network, options, recordings), first);
  const other = await fitted(network, { ...options, seed: 2 }, recordings);
  t.notSame(other, first);
  t.not((await loadCodecModel(other)).fingerprint, (await loadCodecModel(first)).fingerprint);

  const pieces = await fitCodec(network, options);
  for (const samples of recordings) {
    const stream = pieces.stream(RATE);
    for (let at = 0; at < samples.length; at += 777) stream.push(samples.subarray(at, at + 777));
    stream.finish();
  }
  t.same(pieces.finish(), first, 'recordings in pieces');
  t.equal(pieces.vectors, 6 * 20, 'six clips of twenty steps');

  const bounded = await fitCodec(network, { ...options, mostVectors: 50 });
  for (const samples of recordings) {
    const stream = bounded.stream(RATE);
    stream.push(samples);
    stream.finish();
  }
  t.equal(bounded.vectors, 50);
  t.notSame(bounded.finish(), first);
});

t.test('what is in the file: the network as it was, tables that count the codewords', async (t) => {
  const options = {
    splitLayer: 2,
    codebooks: 2,
    codewords: 4,
    groups: 2,
    vectors: 'position',
    name: 'named',
  } as const;
  const rounds: [number, number][] = [];
  const file = await fitted(
    network,
    { ...options, onRound: (stage, round) => rounds.push([stage, round]) },
    recordings,
  );
  const model = await loadCodecModel(file);
  t.equal(model.config.name, 'named');
  t.same(model.config.quantizer, {
    codebooks: 2,
    codewords: 4,
    pooling: 1,
    defaultCodebooks: 2,
    vectors: 'position',
    groups: 2,
  });
  t.same([...new Set(rounds.map(([stage]) => stage))], [0, 1, 2, 3], 'every stage of every group reports');
  const [before, after] = [readSafetensors(network).tensors, readSafetensors(file).tensors];
  for (const [name, tensor] of before) t.same(after.get(name), tensor, name);
  t.equal(after.size, before.size + 2);

  // Frequencies are in proportion to how often the training recordings used each codeword.
  const device = await model.deviceEncoder();
  const counts = Array.from({ length: 4 }, () => new Int32Array(4));
  for (const samples of recordings) {
    device.quantize(samples, RATE).data.forEach((index, i) => {
      counts[i % 4]![index]!++;
    });
  }
  const frequencies = after.get('entropy.frequencies')!;
  const total = counts[0]!.reduce((sum, n) => sum + n, 0);
  for (let stage = 0; stage < 4; stage++) {
    for (let v = 0; v < 4; v++) {
      const [share, expected] = [(frequencies.get(stage, v) as number) / 2 ** 15, counts[stage]![v]! / total];
      t.ok(
        Math.abs(share - expected) < 0.01,
        `stage ${stage}, codeword ${v}: ${share}, expected ${expected}`,
      );
    }
  }
});

t.test('a codec model is cut anew at another layer', async (t) => {
  const first = await fitted(network, { splitLayer: 1, codebooks: 1, codewords: 4, groups: 2 }, recordings);
  const options = { splitLayer: 3, codebooks: 2, codewords: 6, defaultCodebooks: 1 } as const;
  const again = await fitted(first, options, recordings);
  t.same(again, await fitted(network, options, recordings), 'nothing of the first cut is left');
  const model = await loadCodecModel(again);
  t.equal(model.config.splitLayer, 3);
  t.notOk('groups' in model.config.quantizer);
  const bytes = (await model.deviceEncoder()).encode(recordings[0]!, RATE);
  t.equal((await model.cloudClassifier()).classify(bytes).codebooks, 1, 'by default');
});

t.test('a recogniser: codebooks of its own recordings', async (t) => {
  const samples = readSamples();
  const fitter = await fitCodec(modelFile, { splitLayer: 3, codebooks: 3, codewords: 64, pooling: 2 });
  for (const { samples: sound, sampleRate } of samples) {
    const stream = fitter.stream(sampleRate);
    stream.push(sound);
    stream.finish();
  }
  const seconds = samples.reduce((sum, each) => sum + each.samples.length / each.sampleRate, 0);
  // 25 steps a second, pooled in pairs
  t.ok(Math.abs(fitter.vectors - seconds * 12.5) <= samples.length, `${fitter.vectors} vectors`);
  const model = await loadCodecModel(fitter.finish());
  const [device, cloud] = [await model.deviceEncoder(), await model.cloudDecoder()];
  const { samples: sound, sampleRate, transcript } = samples[0]!;
  t.equal(cloud.decode(device.encode(sound, sampleRate)).text, transcript);
});

t.test('too few vectors, and options that make no sense', async (t) => {
  const options = { splitLayer: 3, codebooks: 1, codewords: 16 } as const;
  await t.rejects(fitted(network, { ...options, codewords: 61 }, recordings), {
    code: 'ACOM_USAGE',
    message: /the recordings give 60 vectors, fewer than the 61 codewords: take more recordings/,
  });
  await t.rejects(fitted(network, options, []), { code: 'ACOM_USAGE', message: /give 0 vectors/ });
  const wrong: [object, RegExp][] = [
    [{ splitLayer: 4 }, /^fit: splitLayer is 4, expected at most 3 layers/],
    [{ codebooks: 0 }, /^fit: quantizer\.codebooks is 0/],
    [{ codewords: 1e6 }, /quantizer\.codewords is 1000000/],
    [{ pooling: 0.5 }, /quantizer\.pooling is 0\.5/],
    [{ groups: 5 }, /quantizer\.groups is 5, expected a divisor of the width of a vector, 32/],
    [{ codebooks: 8, groups: 2 }, /at most 15 codebooks in all groups/],
    [{ defaultCodebooks: 2 }, /defaultCodebooks is 2, expected at most 1/],
    [{ mostVectors: 15 }, /at most 15 vectors of 32 numbers are kept, too few for 16 codewords/],
    [{ mostVectors: Number.NaN }, /at most NaN vectors/],
  ];
  for (const [change, message] of wrong) {
    await t.rejects(
      fitCodec(network, { ...options, ...change }),
      { code: 'ACOM_USAGE', message },
      String(message),
    );
  }
  const model = await loadCodecModel(await fitted(network, options, recordings));
  const { cloud } = await model.split();
  await t.rejects(fitCodec(cloud, options), { code: 'ACOM_MODEL', message: /only the cloud half/ });
  await t.rejects(fitCodec('nowhere.safetensors', options), { code: 'ACOM_SOURCE' });
  t.equal((await loadNetworkModel(network)).config.name, 'tiny-cnn14');
});
