/** SpeechBrain's CNN14: SpeechBrain's own numbers through the import, and files that are not what they should be. */
import { join } from 'node:path';
import t from 'tap';
import { loadNetworkModel, openModel } from '../../src/codec/index.js';
import { type Cnn14Config, Cnn14Prefix, Cnn14Suffix, Parameters } from '../../src/nn/index.js';
import { importSpeechBrainCnn14 } from '../../src/published/index.js';
import { flat, type Tensor } from '../../src/tensor/index.js';
import { findFixtures, inputOf, tensorOf } from '../oracle/fixture.js';
import { noise } from '../support/commands.js';
import { fuzz } from '../support/fuzz.js';
import { type Files, folderOf, madeUp, type Saved, torchStateDict } from '../support/published.js';
import { repository } from '../support/shared.js';
import {
  cnn14HeadShapes,
  cnn14Shapes,
  conformerShapes,
  TINY_CONFORMER,
} from '../support/speechbrain-shapes.js';

const fixture = findFixtures(join(repository, 'test/fixtures/oracle'))
  .find(({ kind }) => kind === 'cnn14_reduced')!
  .load();

/** The fixture's tensors below a prefix, which is taken off. */
const below = (prefix: string): Map<string, Saved> =>
  new Map(
    [...fixture.tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { data, shape }]) => [
        name.slice(prefix.length),
        { shape, data: data as Float32Array | BigInt64Array },
      ]),
  );

const embedding = torchStateDict(below('embedding_model.'));

for (const [head, prefix, out] of [
  ['linear', 'classifier.', 'logits'],
  ['cosine', 'cosine_classifier.', 'cosine_scores'],
] as const) {
  t.test(`features to scores: SpeechBrain's, with the ${head} head`, async (t) => {
    const files = { 'embedding_model.ckpt': embedding, 'classifier.ckpt': torchStateDict(below(prefix)) };
    const { model, config } = await importSpeechBrainCnn14(folderOf(files));
    const network = config.network as Cnn14Config;
    t.match(network, { head, channels: [4, 6, 8, 10, 12, 16], classes: 10 });
    // The front end is another than the fixture's: features go into the network itself.
    const opened = await openModel(model);
    const tensors = new Map([...(await opened.tensors('device')), ...(await opened.tensors('cloud'))]);
    const parameters = new Parameters(tensors);
    const [first, last] = [new Cnn14Prefix(parameters, network, 6), new Cnn14Suffix(parameters, network, 6)];
    parameters.requireComplete('imported');
    const scores = flat(last.scores(first.forward(inputOf(fixture, 'x'))));
    const expected = flat(tensorOf(fixture, `out.${out}`) as Tensor);
    const worst = Math.max(...expected.map((x, i) => Math.abs(x - scores[i]!)));
    t.equal(scores.length, 10);
    t.ok(worst < 1e-4 * Math.max(...expected.map(Math.abs)), `scores differ by ${worst}`);
  });
}

const channels = [4, 8];
const tinyEmbedding = madeUp(cnn14Shapes(channels, 20));
const tinyHead = madeUp(cnn14HeadShapes('cosine', 8, 3, 6));
const LABELS =
  "'dog' => 0\n\"dog's toy\" => 2\n'can\\'t \\\\ \"say\"' => 1\n================\n'starting_index' => 0\n";
const good: Files = {
  'embedding_model.ckpt': torchStateDict(tinyEmbedding),
  'classifier.ckpt': torchStateDict(tinyHead),
  'label_encoder.txt': LABELS,
};

t.test('labels, front ends, clips and name', async (t) => {
  const imported = await importSpeechBrainCnn14(folderOf(good), { name: 'tiny', clipSeconds: 2 });
  t.match(imported.config, {
    name: 'tiny',
    clipSeconds: 2,
    labels: ['dog', 'can\'t \\ "say"', "dog's toy"],
    frontEnd: { sampleRate: 44100, windowSamples: 1024, hopSamples: 512, compression: 'decibel' },
  });
  t.same(imported.notes, []);
  const classifier = await (await loadNetworkModel(imported.model)).uncutClassifier();
  t.equal(classifier.classify(noise(3 * 44100), 44100).clips.length, 2);

  const { 'label_encoder.txt': labels, ...files } = good;
  const old = await importSpeechBrainCnn14(folderOf({ ...files, 'label_encoder.ckpt': labels! }));
  t.equal(old.config.labels[0], 'dog', 'under its other name');
  t.equal(old.config.clipSeconds, 5);
  const none = await importSpeechBrainCnn14(folderOf(files));
  t.same(none.config.labels, ['class 0', 'class 1', 'class 2']);
  t.match(none.notes, [/no label_encoder\.txt with a label for each class/]);

  const rateOf = async (yaml: string, frontEnd?: '16k' | '44k') => {
    const open = folderOf({ ...good, 'hyperparams.yaml': yaml });
    return (await importSpeechBrainCnn14(open, frontEnd ? { frontEnd } : {})).config.frontEnd.sampleRate;
  };
  t.equal(await rateOf('sample_rate: 16000\n'), 16000, 'hyperparams.yaml goes before the head');
  t.equal(await rateOf('sample_rate: 44100\n', '16k'), 16000, 'and an option before it');
  t.equal(await rateOf('n_mels: 80\n'), 44100);
  await t.rejects(rateOf('sample_rate: 22050\n'), { code: 'ACOM_USAGE', message: /22050.*--front-end/ });
});

t.test('what is refused, and why', async (t) => {
  const without = (name: string): Files =>
    Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
  const lacking = new Map(tinyEmbedding);
  lacking.delete('conv_block2.norm1.running_var');
  const embeddingFile = good['embedding_model.ckpt'] as Uint8Array;
  const conformer = torchStateDict(madeUp(conformerShapes(TINY_CONFORMER)));
  const cases: [string, Files, string, RegExp][] = [
    [
      'no embedding',
      without('embedding_model.ckpt'),
      'ACOM_SOURCE',
      /^embedding_model\.ckpt: there is no such file/,
    ],
    ['no classifier', without('classifier.ckpt'), 'ACOM_SOURCE', /^classifier\.ckpt: there is no such file/],
    [
      'another network',
      { ...good, 'embedding_model.ckpt': conformer },
      'ACOM_MODEL',
      /^embedding_model\.ckpt: there is no tensor norm0\.weight: this is no CNN14/,
    ],
    [
      'another classifier',
      { ...good, 'classifier.ckpt': conformer },
      'ACOM_MODEL',
      /^classifier\.ckpt: there is no tensor weight: this is no CNN14/,
    ],
    [
      'a classifier for another width',
      { ...good, 'classifier.ckpt': torchStateDict(madeUp(cnn14HeadShapes('linear', 16, 3))) },
      'ACOM_MODEL',
      /1 of another shape: classifier\.weight \[3, 16\] instead of \[3, 8\]/,
    ],
    [
      'a missing tensor',
      { ...good, 'embedding_model.ckpt': torchStateDict(lacking) },
      'ACOM_MODEL',
      /1 missing: embedding_model\.conv_block2\.norm1\.running_var/,
    ],
    [
      'a file that is cut short',
      { ...good, 'embedding_model.ckpt': embeddingFile.slice(0, -40) },
      'ACOM_FORMAT',
      /^embedding_model\.ckpt: /,
    ],
    [
      'a block without channels',
      {
        ...good,
        'embedding_model.ckpt': torchStateDict(
          new Map([
            ...tinyEmbedding,
            ['conv_block2.conv1.weight', { shape: [0, 4, 3, 3], data: new Float32Array(0) }],
          ]),
        ),
      },
      'ACOM_MODEL',
      /channels is 0/,
    ],
  ];
  for (const [what, files, code, message] of cases) {
    await t.rejects(importSpeechBrainCnn14(folderOf(files)), { code, message }, what);
  }
});

t.test('damaged files give typed errors, and texts none', async (t) => {
  for (const name of ['embedding_model.ckpt', 'classifier.ckpt'] as const) {
    const { rejected, crashes } = await fuzz([good[name] as Uint8Array], 60, (bytes) =>
      importSpeechBrainCnn14(folderOf({ ...good, [name]: bytes })),
    );
    t.same(crashes, [], name);
    t.ok(rejected > 10, `${name}: ${rejected} rejected`);
  }
  const encoded = new TextEncoder().encode(LABELS);
  const { rejected, crashes } = await fuzz([encoded], 60, (bytes) =>
    importSpeechBrainCnn14(folderOf({ ...good, 'label_encoder.txt': bytes })),
  );
  t.same([rejected, crashes], [0, []], 'labels that can not be read are numbers');
});
