/** Files of classifiers: without codebooks, of the wrong part, damaged, and configurations that make no sense. */
import t from 'tap';
import { readSafetensors, type TensorData, writeSafetensors } from '../../src/checkpoints/index.js';
import {
  type CodecConfig,
  loadCloudClassifier,
  loadCodecModel,
  loadDeviceEncoder,
  loadNetworkModel,
  parseConfig,
  writeModel,
} from '../../src/codec/index.js';
import { createRandom } from '../../src/tensor/index.js';
import {
  CLIP,
  CNN14,
  fitted,
  RATE,
  sound,
  tinyCnn14,
  tinyConfig,
  tinyKeywords,
} from '../support/classifiers.js';
import { fuzz } from '../support/fuzz.js';

type Tree = Record<string, unknown>;

const network = await tinyCnn14();
const keywords = await tinyKeywords('separable');
const options = {
  splitLayer: 2,
  codebooks: 2,
  codewords: 4,
  vectors: 'position',
  groups: 3,
  pooling: 2,
} as const;
const codec = await fitted(network, options, [sound(3 * CLIP, 1)]);
const keywordCodec = await fitted(
  keywords,
  { splitLayer: 1, codebooks: 2, codewords: 4 },
  [sound(8000, 1)],
  16_000,
);

const configText = (file: Uint8Array): string => readSafetensors(file).metadata.get('config')!;

t.test('a network without codebooks: fit some; it can classify all the same', async (t) => {
  await t.rejects(loadCodecModel(network), {
    code: 'ACOM_MODEL',
    message:
      /tiny-cnn14: this is a network without codebooks, which can't send anything yet; .*acom model fit/,
  });
  for (const load of [loadDeviceEncoder, loadCloudClassifier]) {
    await t.rejects(load(network) as Promise<unknown>, { code: 'ACOM_MODEL', message: /acom model fit/ });
  }
  const model = await loadNetworkModel(network);
  t.match((await model.uncutClassifier()).classify(sound(CLIP, 1), RATE), { label: String });
  await t.rejects(model.uncutRecognizer(), { code: 'ACOM_MODEL', message: /not for recognition/ });
  t.not(model.fingerprint, (await loadNetworkModel(keywords)).fingerprint);
  t.equal((await loadNetworkModel(codec)).fingerprint, (await loadCodecModel(codec)).fingerprint);
});

t.test('a file whose format and configuration disagree', async (t) => {
  for (const [file, format] of [
    [network, 'acom codec model 1'],
    [codec, 'acom network 1'],
  ] as const) {
    const { metadata, tensors } = readSafetensors(file);
    const changed = writeSafetensors(tensors as ReadonlyMap<string, TensorData>, {
      ...Object.fromEntries(metadata),
      format,
    });
    await t.rejects(loadNetworkModel(changed), {
      code: 'ACOM_MODEL',
      message: /the configuration otherwise/,
    });
  }
});

t.test('tensors that are missing, too many, or of other shapes', async (t) => {
  const { tensors } = readSafetensors(codec);
  const config = parseConfig(configText(codec));
  const changed = (change: (tensors: Map<string, TensorData>) => void): Uint8Array => {
    const data = new Map<string, TensorData>(
      [...tensors].map(([name, { data, shape }]) => [name, { data, shape }]),
    );
    change(data);
    return writeModel(config, data);
  };
  const failing: [string, (tensors: Map<string, TensorData>) => void, RegExp][] = [
    ['device', (m) => m.delete('embedding_model.norm0.weight'), /device half: .*norm0\.weight is missing/],
    ['device', (m) => m.delete('normalizer.glob_mean'), /glob_mean is missing/],
    ['cloud', (m) => m.delete('classifier.weight'), /cloud half: .*classifier\.weight is missing/],
    ['shared', (m) => m.delete('entropy.frequencies'), /entropy\.frequencies must be int32 \[6, 5\]/],
    [
      'shared',
      (m) => m.set('quantizer.codebooks', { data: new Float32Array(48), shape: [6, 4, 2].reverse() }),
      /quantizer\.codebooks has shape \[2, 4, 6\], expected \[6, 4, 2\]/,
    ],
  ];
  for (const [half, change, message] of failing) {
    const model = await loadCodecModel(changed(change));
    const load: Promise<unknown> = half === 'cloud' ? model.cloudClassifier() : model.deviceEncoder();
    await t.rejects(load, { code: 'ACOM_MODEL', message }, String(message));
  }
  t.throws(() => changed((m) => m.set('classifier.extra', { data: new Float32Array(1), shape: [1] })), {
    code: 'ACOM_MODEL',
    message: /classifier\.extra belongs to no part/,
  });
});

t.test('configurations that make no sense are refused by field', async (t) => {
  const wrong: [file: Uint8Array, field: string, value: unknown, message: RegExp][] = [
    [codec, 'clipSeconds', undefined, /clipSeconds is missing, expected a number above 0 and up to 600/],
    [codec, 'clipSeconds', 0, /clipSeconds is 0/],
    [codec, 'clipSeconds', -1, /clipSeconds is -1/],
    [codec, 'clipSeconds', 1e9, /clipSeconds is 1000000000/],
    [codec, 'clipSeconds', '1', /clipSeconds is "1", expected a number/],
    [codec, 'clipSeconds', 1e-9, /clipSeconds is 1e-9, expected 1 to 67108864 samples at 8000/],
    [codec, 'clipSeconds', 0.02, /clipSeconds is 0\.02, .*at least 4 feature frames \(these give 3\)/],
    [keywordCodec, 'clipSeconds', 0.1, /clipSeconds is 0\.1, .* give 19 feature frames \(these give 31\)/],
    [codec, 'labels', ['a'], /labels is 1, expected 5 labels/],
    [codec, 'labels', ['a', 'b', 'c', 'd', 5], /labels\[4\] is 5, expected text/],
    [codec, 'task', 'recognition', /tiny-cnn14 is no recogniser: it has a network of type cnn14/],
    [codec, 'normalization', 'some', /normalization is "some"/],
    [codec, 'frontEnd.mels', 20, /frontEnd is 20, expected 16 features a frame/],
    [codec, 'frontEnd.type', 'mfcc', /frontEnd\.coefficients is missing/],
    [codec, 'frontEnd.type', 'wavelet', /frontEnd\.type is "wavelet", expected mfcc/],
    [codec, 'frontEnd.sampleRate', 1e300, /a sample rate of 1e\+300/],
    [keywordCodec, 'frontEnd.coefficients', 7, /expected 6 features a frame/],
    [keywordCodec, 'frontEnd.coefficients', 99, /99 coefficients of/],
    [codec, 'network.type', 'transformer', /network\.type is "transformer"/],
    [codec, 'network.type', 'toString', /network\.type is "toString"/],
    [codec, 'network.channels', [4, 6, 0], /channels is 0/],
    [codec, 'network.channels', { length: 3 }, /channels is no list/],
    [codec, 'network.channels', [4, 6, 8, 8, 8, 8], /16 mels do not last for 6 blocks/],
    [codec, 'network.head', 'round', /head is round/],
    [keywordCodec, 'network.layers', [], /layers are no list/],
    [keywordCodec, 'network.layers', [null], /layer 1, kind is undefined/],
    [codec, 'splitLayer', 4, /splitLayer is 4, expected at most 3/],
    [codec, 'splitLayer', 1.5, /splitLayer is 1\.5/],
    [codec, 'quantizer', null, /quantizer is null/],
    [codec, 'quantizer', undefined, /quantizer is missing/],
    [codec, 'quantizer.vectors', 'band', /quantizer\.vectors is "band", expected step or position/],
    [codec, 'quantizer.groups', 4, /quantizer\.groups is 4, expected a divisor of the width of a vector, 6/],
    [codec, 'quantizer.groups', 0, /quantizer\.groups is 0/],
    [codec, 'quantizer.codebooks', 6, /quantizer\.groups is 3, expected at most 15 codebooks in all groups/],
    [codec, 'quantizer.codebooks', 16, /quantizer\.codebooks is 16/],
    [codec, 'quantizer.pooling', 65, /quantizer\.pooling is 65/],
  ];
  for (const [file, field, value, message] of wrong) {
    const config = JSON.parse(configText(file)) as Tree;
    const path = field.split('.');
    const owner = path.slice(0, -1).reduce((tree, name) => tree[name] as Tree, config);
    owner[path[path.length - 1]!] = value;
    t.throws(
      () => parseConfig(JSON.stringify(config)),
      { code: 'ACOM_MODEL', message },
      `${field}: ${message}`,
    );
  }
  t.throws(() => writeModel(tinyConfig({ clipSeconds: 0.02 }), new Map()), { code: 'ACOM_MODEL' });
  t.throws(() => writeModel({ ...tinyConfig(), network: { ...CNN14, classes: 4 } }, new Map()), {
    message: /expected 4 labels/,
  });
});

/** Replaces values somewhere in a tree. */
function mutated(text: string, random: () => number): string {
  const values = [
    null,
    '',
    'x',
    'mfcc',
    -1,
    0,
    0.5,
    3,
    1e9,
    2 ** 40,
    1e300,
    [],
    {},
    true,
    [[1]],
    [1, 2],
    5e-324,
  ];
  const root = JSON.parse(text) as Tree;
  for (let changes = 1 + Math.floor(3 * random()); changes > 0; changes--) {
    let tree = root;
    for (;;) {
      const keys = Object.keys(tree);
      const key = keys[Math.floor(random() * keys.length)]!;
      const value = tree[key];
      if (typeof value === 'object' && value !== null && random() < 0.8 && Object.keys(value).length > 0) {
        tree = value as Tree;
        continue;
      }
      if (random() < 0.1) delete tree[key];
      else tree[key] = structuredClone(values[Math.floor(random() * values.length)]);
      break;
    }
  }
  return JSON.stringify(root);
}

t.test(
  '6,000 configurations with values replaced: ModelError, or one that can be counted with',
  async (t) => {
    const { ClipTiming, timingOf } = await import('../../src/codec/index.js');
    const random = createRandom(6);
    const texts = [codec, keywordCodec, network].map(configText);
    let [refused, accepted] = [0, 0];
    for (let i = 0; i < 6000; i++) {
      const text = mutated(texts[i % texts.length]!, random);
      try {
        const config = parseConfig(text) as CodecConfig;
        const timing = timingOf(config);
        accepted++;
        if (
          !(timing.vectors(10_000) > 0 && timing.vectorsPerSecond > 0 && Number.isFinite(timing.vectors(1e9)))
        ) {
          t.fail(text);
        }
        if (timing instanceof ClipTiming && !(timing.filled(1) <= timing.clipSamples)) t.fail(text);
      } catch (error) {
        if ((error as { code?: string }).code !== 'ACOM_MODEL') throw Object.assign(error as Error, { text });
        refused++;
      }
    }
    t.ok(refused > 3000 && accepted > 100, `${refused} refused, ${accepted} accepted`);
  },
);

t.test('3,000 damaged files: typed errors only, whatever is asked of them', async (t) => {
  const result = await fuzz([codec, keywordCodec, network], 3000, async (bytes) => {
    const model = await loadNetworkModel(bytes);
    const uncut = await model.uncutClassifier();
    uncut.classify(sound(100, 1), RATE);
  });
  t.same(result.crashes, []);
  t.ok(result.rejected > 2000, `${result.rejected} refused`);
});
