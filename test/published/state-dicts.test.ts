/** The published names and shapes: found whole at full size, and run with made-up numbers. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { ByteSource } from '../../src/checkpoints/index.js';
import { loadNetworkModel } from '../../src/codec/index.js';
import {
  importSpeechBrainCnn14,
  importSpeechBrainConformer,
  type OpenFile,
} from '../../src/published/index.js';
import { SourceError, sizeOf } from '../../src/tensor/index.js';
import { noise } from '../support/commands.js';
import { folderOf, madeUp, normalizerFile, type Shapes, torchStateDict } from '../support/published.js';
import { shared, skipWithout } from '../support/shared.js';
import {
  type ConformerSizes,
  cnn14HeadShapes,
  cnn14Shapes,
  conformerShapes,
  PUBLISHED_CHANNELS,
  PUBLISHED_CONFORMERS,
} from '../support/speechbrain-shapes.js';

const TABLES = 'oracle/published_state_dicts';

t.test('names and shapes here are the published ones', { skip: skipWithout(TABLES) }, async (t) => {
  for (const [table, shapes] of [
    ['conformer_small_d144', conformerShapes(PUBLISHED_CONFORMERS.small)],
    ['conformer_large_d512_relpos', conformerShapes(PUBLISHED_CONFORMERS.large)],
    ['conformer_large_d512_rope', conformerShapes(PUBLISHED_CONFORMERS.rotary)],
    ['conformer_ctc_d256', conformerShapes(PUBLISHED_CONFORMERS.ctc)],
    ['cnn14_embedding_model', cnn14Shapes(PUBLISHED_CHANNELS)],
    ['cnn14_hf_classifier', cnn14HeadShapes('cosine', 2048)],
  ] as const) {
    t.same(shapes, JSON.parse(readFileSync(shared(`${TABLES}/${table}.json`), 'utf8')), table);
  }
});

/** What a file throws whose tensors are asked for. */
const ASKED = 'its tensors were asked for';

/** A safetensors file that has a header only. */
function headerOnly(shapes: Shapes): ByteSource {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const dtype = name.endsWith('num_batches_tracked') ? 'I64' : 'F32';
    const begin = end;
    end += sizeOf(shape) * (dtype === 'I64' ? 8 : 4);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  head.set(header, 8);
  return {
    size: head.length + end,
    name: 'header only',
    read: async (offset, length) => {
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      // Enough to tell the format by, of whatever length is asked.
      if (offset === 0) return head.subarray(0, length);
      throw new SourceError(ASKED);
    },
  };
}

/** Files in memory, of which some are a header only. */
const withHeaders =
  (open: OpenFile, headers: Readonly<Record<string, Shapes>>): OpenFile =>
  async (name) => {
    const shapes = headers[name];
    return shapes === undefined ? open(name) : headerOnly(shapes);
  };

t.test('each published state dict fits at full size: then its tensors are read', async (t) => {
  const rest = folderOf({ 'normalizer.ckpt': normalizerFile(80) });
  for (const [name, sizes] of Object.entries(PUBLISHED_CONFORMERS)) {
    for (const spelling of ['multihead_attn', 'mutihead_attn'] as const) {
      const open = withHeaders(rest, { 'asr.ckpt': conformerShapes(sizes, spelling) });
      await t.rejects(
        importSpeechBrainConformer(open),
        { message: `asr.ckpt: ${ASKED}` },
        `${name}, ${spelling}`,
      );
    }
  }
  for (const head of ['cosine', 'linear'] as const) {
    const open = withHeaders(rest, {
      'embedding_model.ckpt': cnn14Shapes(PUBLISHED_CHANNELS),
      'classifier.ckpt': cnn14HeadShapes(head, 2048),
    });
    await t.rejects(importSpeechBrainCnn14(open), { message: `embedding_model.ckpt: ${ASKED}` }, head);
  }
  const lacking = { ...conformerShapes(PUBLISHED_CONFORMERS.large) } as Record<string, readonly number[]>;
  delete lacking['1.encoder.layers.7.norm2.norm.bias'];
  await t.rejects(
    importSpeechBrainConformer(withHeaders(rest, { 'asr.ckpt': lacking })),
    { code: 'ACOM_MODEL', message: /1 missing: 1\.encoder\.layers\.7\.norm2\.norm\.bias/ },
    'one that lacks a tensor does not',
  );
});

/** A published conformer with its widths divided by `factor`, and `layers` layers. */
const scaled = (sizes: ConformerSizes, factor: number, layers: number): ConformerSizes => ({
  ...sizes,
  width: sizes.width / factor,
  feedForward: sizes.feedForward / factor,
  classes: sizes.classes > 100 ? sizes.classes / 100 : sizes.classes,
  layers,
  decoderLayers: Math.min(1, sizes.decoderLayers),
});

const yamlOf = (nhead: number) => `sample_rate: 16000\nn_fft: 512\nwin_length: 25\nnhead: ${nhead}\n`;

for (const [name, factor] of [
  ['small', 4],
  ['large', 8],
  ['rotary', 8],
  ['ctc', 8],
] as const) {
  t.test(`conformer ${name}, scaled down, runs`, async (t) => {
    const sizes = scaled(PUBLISHED_CONFORMERS[name], factor, 3);
    const shapes = conformerShapes(sizes);
    const open = folderOf({
      'model.ckpt': torchStateDict(madeUp(shapes)),
      'normalizer.ckpt': normalizerFile(80),
      'hyperparams.yaml': yamlOf(sizes.heads),
    });
    const imported = await importSpeechBrainConformer(open);
    const { width, heads, layers, feedForward, kernel, classes, positions, decoderLayers } = sizes;
    t.same(imported.config.network, {
      type: 'speechbrain-conformer-ctc',
      frontEnd: { mels: 80, channels: [64, 32], kernelSizes: [3, 3], strides: [2, 2] },
      encoder: {
        width,
        heads,
        layers,
        feedForward,
        depthwiseTaps: kernel,
        ...(positions === 'rotary' ? { positions } : {}),
      },
      classes,
      head: decoderLayers > 0 ? '3' : '2',
    });
    t.match(imported.config.frontEnd, {
      sampleRate: 16000,
      fftSize: 512,
      windowSamples: 400,
      hopSamples: 160,
    });
    const { taken, missing, unexpected, wrongShape, leftOut } = imported.report;
    t.same([missing, unexpected, wrongShape], [[], [], []]);
    t.equal(taken + leftOut.length, Object.keys(shapes).length, 'each tensor is taken or left out');
    t.ok(leftOut.every((each) => /^1\.(positional|decoder|custom_tgt)|^2\.w\./.test(each)));
    t.equal(
      leftOut.some((each) => each.startsWith('2.')),
      decoderLayers > 0,
      "the attention decoder's linear is left out, the CTC head never",
    );
    t.same(imported.notes, ['no tokenizer.ckpt: pieces are shown as their numbers']);
    const recognizer = await (await loadNetworkModel(imported.model)).uncutRecognizer();
    const logProbs = recognizer.logProbabilities(noise(16000), 16000);
    t.same(logProbs.shape, [26, classes]);
    t.ok(logProbs.data.every(Number.isFinite));
    const total = logProbs.data.subarray(0, classes).reduce((sum, x) => sum + Math.exp(x), 0);
    t.ok(Math.abs(total - 1) < 1e-4, `probabilities of a frame add up to ${total}`);
  });
}

t.test('conformer small, at full size', async (t) => {
  const shapes = conformerShapes(PUBLISHED_CONFORMERS.small);
  t.equal(Object.keys(shapes).length, 477);
  const open = folderOf({
    'asr.ckpt': torchStateDict(madeUp(shapes)),
    'normalizer.ckpt': normalizerFile(80),
  });
  const { config, report, model, notes } = await importSpeechBrainConformer(open);
  t.match(config, {
    name: 'speechbrain-conformer-d144',
    frontEnd: { fftSize: 400, windowSamples: 400, hopSamples: 160, mels: 80 },
    network: { encoder: { width: 144, heads: 4, layers: 12, feedForward: 1024 }, classes: 5000 },
  });
  t.same([report.taken, report.leftOut.length], [398, 79]);
  t.match(notes, [/n_fft.*400 samples is assumed/, /win_length.*400 samples is assumed/, /tokenizer/]);
  const recognizer = await (await loadNetworkModel(model)).uncutRecognizer();
  const logProbs = recognizer.logProbabilities(noise(16000), 16000);
  t.same(logProbs.shape, [26, 5000]);
  t.ok(logProbs.data.every(Number.isFinite));
});

for (const head of ['cosine', 'linear'] as const) {
  t.test(`CNN14 with the ${head} head, scaled down, runs`, async (t) => {
    const channels = PUBLISHED_CHANNELS.map((each) => each / 16);
    const [embedding, classifier] = [cnn14Shapes(channels), cnn14HeadShapes(head, 128, 50, 12)];
    const open = folderOf({
      'embedding_model.ckpt': torchStateDict(madeUp(embedding)),
      'classifier.ckpt': torchStateDict(madeUp(classifier)),
    });
    const { config, report, model, notes } = await importSpeechBrainCnn14(open);
    const expected = { type: 'cnn14', mels: 80, channels, classes: 50 };
    t.same(config.network, head === 'cosine' ? { ...expected, head, headWidth: 12 } : { ...expected, head });
    const sampleRate = head === 'cosine' ? 44100 : 16000;
    t.match(config.frontEnd, { sampleRate, mels: 80, maxHertz: 8000 });
    const counters = 13 + (head === 'cosine' ? 1 : 0);
    t.equal(report.leftOut.length, counters, 'counters of batches are left out');
    t.equal(
      report.taken + counters,
      Object.keys(embedding).length + Object.keys(classifier).length,
      'and all else is taken',
    );
    t.match(notes, [/no label_encoder\.txt/]);
    const classifierOf = await (await loadNetworkModel(model)).uncutClassifier();
    const { classes } = classifierOf.classify(noise(sampleRate), sampleRate);
    t.equal(classes.length, 50);
    const total = classes.reduce((sum, { probability }) => sum + probability, 0);
    t.ok(Math.abs(total - 1) < 1e-4, `probabilities add up to ${total}`);
  });
}
