/** What is taken of hyperparams.yaml and of label encoders, which may hold anything. */
import fc from 'fast-check';
import t from 'tap';
import { labelsOfEncoder, numbersOfYaml } from '../../src/published/hyperparams.js';

t.test('numbers of a published hyperparams.yaml', async (t) => {
  const yaml = `# Feature parameters
sample_rate: 16000
n_fft: 512 # samples
win_length:  32
n_mels: 80
max_grad_norm: 5.0
epsilon: 1e-3
name: 12 monkeys
batches: 3:4
normalizer: !new:speechbrain.processing.features.InputNormalization
    norm_type: global
    n_fft: 1

activation: !name:torch.nn.GELU
pretrained_path: speechbrain/asr
`;
  const expected = { sample_rate: 16000, n_fft: 512, win_length: 32, n_mels: 80, max_grad_norm: 5 };
  for (const text of [yaml, yaml.replaceAll('\n', '\r\n')]) {
    t.same(Object.fromEntries(numbersOfYaml(text)), expected);
  }
  t.equal(numbersOfYaml(null).size, 0);
});

t.test('numbers of the front end go before others', async (t) => {
  const numbers = numbersOfYaml(`sample_rate: 8000
window: 20
n_fft: 512
compute_features: !new:speechbrain.lobes.features.Fbank
    sample_rate: !ref <sample_rate>
    n_fft: 400

    # the window
    win_length: !ref <window>
    hop_length: !ref <not there>
    n_mels: !ref <n_mels>
modules:
    n_fft: 7
`);
  t.same(Object.fromEntries(numbers), { sample_rate: 8000, window: 20, n_fft: 400, win_length: 20 });
});

t.test('labels, up to the settings that look the same', async (t) => {
  const text = "'a' => 1\n\"it's\" => 0\n'\\\\ \\'x\\'' => 2\n================\n'starting_index' => 0\n";
  t.same(labelsOfEncoder(text, 3), ["it's", 'a', "\\ 'x'"]);
  t.same(labelsOfEncoder(text.replaceAll('\n', '\r\n'), 2), ["it's", 'a'], 'more labels than classes');
  t.equal(labelsOfEncoder(text, 4), null, 'a class without a label');
  t.equal(labelsOfEncoder(null, 1), null);
  t.equal(labelsOfEncoder("================\n'starting_index' => 0\n", 1), null);
});

/** Texts near to what is read, and any others. */
const parts = fc.constantFrom(
  ...["'", '"', '\\', ' => ', '0', '7', '-', '.', ':', ' ', '\t', '\n', '\r\n', '#', '='],
  ...['n_fft', 'compute_features:', '!ref <', '>', 'a', '\u{1f3b5}', '\ud800'],
);
const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(parts, { maxLength: 60 }).map((all) => all.join('')),
);

t.test('any text gives finite numbers and labels, or none', async () => {
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 9 }), (text, classes) => {
      for (const number of numbersOfYaml(text).values()) if (!Number.isFinite(number)) return false;
      const labels = labelsOfEncoder(text, classes);
      return (
        labels === null || (labels.length === classes && labels.every((each) => typeof each === 'string'))
      );
    }),
    { numRuns: 3000 },
  );
});

t.test('labels come back as Python writes them', async () => {
  // repr(): double quotes where there are only single ones within.
  const repr = (label: string): string => {
    const quote = label.includes("'") && !label.includes('"') ? '"' : "'";
    return quote + label.replace(/\\/g, '\\\\').replaceAll(quote, `\\${quote}`) + quote;
  };
  const label = fc.string({
    unit: fc.constantFrom('a', 'B', ' ', "'", '"', '\\', '=', '>', 'é'),
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 8 }), (labels) => {
      const lines = labels.map((each, c) => `${repr(each)} => ${c}`);
      const text = [...lines.reverse(), '================', "'starting_index' => 0", ''].join('\n');
      return JSON.stringify(labelsOfEncoder(text, labels.length)) === JSON.stringify(labels);
    }),
  );
});

t.test('long lines cost no more than short ones', async (t) => {
  const long = `'${'\\'.repeat(200_001)}\nn_fft: ${'1'.repeat(200_000)}x\n${' '.repeat(200_000)}\n`;
  t.equal(numbersOfYaml(long).size, 0);
  t.equal(labelsOfEncoder(long, 1), null);
});
