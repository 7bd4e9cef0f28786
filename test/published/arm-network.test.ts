/** Keyword networks from their TensorFlow graphs: what is read, and what is refused. */
import t from 'tap';
import { readArmKeywordNetwork } from '../../src/published/index.js';
import { FormatError } from '../../src/tensor/index.js';
import { fuzz } from '../support/fuzz.js';
import { KEYWORD_FIXTURES, keywordFixture } from '../support/keyword-fixtures.js';
import { ARM_FOLDER, loadArmNetwork } from '../support/keywords.js';
import { skipWithout } from '../support/shared.js';

interface Operation {
  op: string;
  name: string;
  input: string[];
  [attribute: string]: unknown;
}

interface Description {
  labels: unknown;
  licence?: unknown;
  tensors: { name: string; shape: unknown; offset: unknown; length: unknown }[];
  graph: Operation[];
}

const norm = (channels: number) =>
  ['weight', 'bias', 'running_mean', 'running_var'].map((name) => [`norm.${name}`, [channels]]);

t.test('configuration, front end, names and layouts', async (t) => {
  const { network, bin } = keywordFixture('plain');
  t.same(network.config, {
    type: 'keyword-cnn',
    frames: 19,
    features: 6,
    layers: [
      {
        kind: 'convolution',
        channels: 5,
        kernel: [4, 3],
        stride: [1, 1],
        padding: 'valid',
        norm: true,
        activation: 'relu',
      },
      {
        kind: 'convolution',
        channels: 4,
        kernel: [5, 2],
        stride: [2, 1],
        padding: 'valid',
        norm: true,
        activation: 'relu',
      },
      { kind: 'linear', features: 7, norm: false, activation: 'none' },
      { kind: 'linear', features: 9, norm: true, activation: 'relu' },
    ],
    classes: 3,
  });
  t.same(network.frontEnd, {
    type: 'mfcc',
    sampleRate: 16_000,
    fftSize: 128,
    windowSamples: 100,
    hopSamples: 50,
    mels: 12,
    minHertz: 20,
    maxHertz: 4000,
    coefficients: 6,
  });
  t.same([network.labels, network.licence, network.source], [['a', 'b', 'c'], 'MIT', 'make.py']);
  const shapes = (tensors: typeof network.tensors) =>
    Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
  const layer = (name: string, weight: number[], normed = true) => [
    [`${name}.weight`, weight],
    [`${name}.bias`, [weight[0]]],
    ...(normed ? norm(weight[0]!).map(([part, shape]) => [`${name}.${String(part)}`, shape]) : []),
  ];
  t.same(
    shapes(network.tensors),
    Object.fromEntries([
      ...layer('layers.0', [5, 1, 4, 3]),
      ...layer('layers.1', [4, 5, 5, 2]),
      ...layer('layers.2', [7, 72], false),
      ...layer('layers.3', [9, 7]),
      ...layer('head', [3, 9], false),
    ]),
  );
  // [time, frequency, in, out], the first tensor of the file
  const stored = new Float32Array(bin.buffer.slice(bin.byteOffset, bin.byteOffset + bin.length));
  t.equal(network.tensors.get('layers.0.weight')!.get(4, 0, 3, 1), stored[(3 * 3 + 1) * 5 + 4]);

  const { config, tensors } = keywordFixture('separable').network;
  t.same(config.layers.slice(1), [
    { kind: 'separable', channels: 7, kernel: [3, 3], stride: [1, 1], padding: 'same' },
    { kind: 'separable', channels: 7, kernel: [3, 2], stride: [2, 1], padding: 'same' },
    { kind: 'average-pool' },
  ]);
  t.same(tensors.get('layers.1.depthwise.weight')!.shape, [6, 1, 3, 3]);
  t.same(tensors.get('layers.1.pointwise.weight')!.shape, [7, 6, 1, 1]);
});

t.test('bytes at an odd address', async (t) => {
  const { json, bin, network } = keywordFixture('plain');
  for (const moved of [new Uint8Array(bin.length + 1), Buffer.alloc(bin.length + 1)]) {
    moved.set(bin, 1);
    const { tensors } = readArmKeywordNetwork(json, moved.subarray(1));
    t.same(tensors.get('head.weight')!.data, network.tensors.get('head.weight')!.data);
  }
});

type Change = (description: Description) => void;

const refused = (
  fixture: (typeof KEYWORD_FIXTURES)[number],
  cases: Readonly<Record<string, [RegExp, Change]>>,
) => {
  const { json, bin } = keywordFixture(fixture);
  for (const [what, [message, change]] of Object.entries(cases)) {
    t.test(`refused: ${what}`, async (t) => {
      const description = JSON.parse(json) as Description;
      change(description);
      const text = JSON.stringify(description);
      t.not(text, json);
      t.throws(() => readArmKeywordNetwork(text, bin), { constructor: FormatError, message });
    });
  }
};

const find = ({ graph }: Description, op: string, which = 0): Operation =>
  graph.filter((each) => each.op === op)[which]!;
const remove = (description: Description, op: string, which = 0): void => {
  const gone = find(description, op, which);
  description.graph = description.graph.filter((each) => each !== gone);
  for (const each of description.graph) {
    each.input = each.input.map((input) => (input === gone.name ? gone.input[0]! : input));
  }
};

refused('plain', {
  'an operation that is not known': [
    /operation Tanh \("Relu_5"\) is not known; known are /,
    (d) => {
      find(d, 'Relu').op = 'Tanh';
    },
  ],
  'a graph that branches': [
    /once more: the graph branches/,
    (d) => {
      const [first, second] = [find(d, 'Conv2D'), find(d, 'Conv2D', 1)];
      second.input[0] = first.name;
    },
  ],
  'an operation on nothing': [
    /does not take what ".*" gives/,
    (d) => {
      find(d, 'MatMul').input[0] = 'nowhere';
    },
  ],
  'a signal as the second input': [/another input than its first/, (d) => find(d, 'Add').input.reverse()],
  'another epsilon': [
    /epsilon of 0.01/,
    (d) => {
      find(d, 'FusedBatchNorm')['epsilon'] = 0.01;
    },
  ],
  'a batch norm of other statistics in its shift': [
    /scale and its shift differ/,
    (d) => {
      const [, , , mul2] = d.graph.filter(({ op }) => op === 'Rsqrt' || op === 'Mul');
      mul2!.input[1] = 'v0/read';
    },
  ],
  'something within a batch norm': [
    /comes within a batch norm/,
    (d) => {
      const scaled = d.graph.find(({ op, input }) => op === 'Mul' && input[0]!.startsWith('Add_'))!;
      d.graph.splice(d.graph.indexOf(scaled) + 1, 0, { op: 'Relu', name: 'within', input: [scaled.name] });
    },
  ],
  'a batch norm without its difference': [/ends no batch norm: expected Sub in it/, (d) => remove(d, 'Sub')],
  'batch norm after ReLU': [
    /follows what it cannot follow/,
    (d) => {
      const [fused, relu] = [find(d, 'FusedBatchNorm'), find(d, 'Relu')];
      const at = d.graph.indexOf(fused);
      d.graph.splice(at, 2, relu, fused);
      relu.input = [...fused.input.slice(0, 1)];
      fused.input[0] = relu.name;
      d.graph[at + 2]!.input[0] = fused.name;
    },
  ],
  'two biases': [
    /follows what it cannot follow/,
    (d) => {
      const bias = find(d, 'Add');
      d.graph.splice(d.graph.indexOf(bias) + 1, 0, {
        ...bias,
        name: 'twice',
        input: [bias.name, bias.input[1]!],
      });
      find(d, 'FusedBatchNorm').input[0] = 'twice';
    },
  ],
  'no softmax': [/does not end with Softmax/, (d) => remove(d, 'Softmax')],
  'something after the softmax': [
    /comes after Softmax/,
    (d) => {
      d.graph.push({ op: 'Relu', name: 'late', input: [d.graph[d.graph.length - 1]!.name] });
    },
  ],
  'no front end': [/0 operations Mfcc, expected one/, (d) => remove(d, 'Mfcc')],
  magnitudes: [
    /only squared magnitudes/,
    (d) => {
      find(d, 'AudioSpectrogram')['magnitude_squared'] = false;
    },
  ],
  'a hop of half a sample': [
    /stride is 0.5/,
    (d) => {
      find(d, 'AudioSpectrogram')['stride'] = 0.5;
    },
  ],
  'an utterance shorter than a window': [
    /99 samples are fewer than a window of 100/,
    (d) => {
      find(d, 'DecodeWav')['desired_samples'] = 99;
    },
  ],
  'padding of another kind': [
    /padding "EXPLICIT"/,
    (d) => {
      find(d, 'Conv2D')['padding'] = 'EXPLICIT';
    },
  ],
  'images with channels first': [
    /is none of images/,
    (d) => {
      find(d, 'Conv2D')['data_format'] = 'NCHW';
    },
  ],
  'strides over channels': [
    /strides is \[1,1,1,2\]/,
    (d) => {
      find(d, 'Conv2D')['strides'] = [1, 1, 1, 2];
    },
  ],
  'a transposed matrix': [
    /no product with a matrix/,
    (d) => {
      find(d, 'MatMul')['transpose_b'] = true;
    },
  ],
  'a product that does not fit its map': [
    /takes 72 inputs, the map before it is 10 x 3 x 4/,
    (d) => {
      find(d, 'Conv2D', 1)['strides'] = [1, 1, 1, 1];
      find(d, 'DecodeWav')['desired_samples'] = 900;
    },
  ],
  'a weight that is not there': [
    /takes a tensor that is not in the file/,
    (d) => {
      find(d, 'Conv2D').input[1] = 'v99/read';
    },
  ],
  'a bias of another size': [
    /takes a tensor of \[.*\], expected \[5\]/,
    (d) => {
      find(d, 'Add').input[1] = 'v0/read';
    },
  ],
  'another number of labels': [
    /2 labels for 3 classes/,
    (d) => {
      d.labels = ['a', 'b'];
    },
  ],
  'labels that are no text': [
    /a label is no text/,
    (d) => {
      d.labels = [1, 2, 3];
    },
  ],
  'no licence': [
    /"licence" is no text/,
    (d) => {
      delete d.licence;
    },
  ],
  'a tensor past the end': [
    /the file is cut short/,
    (d) => {
      d.tensors[d.tensors.length - 1]!.offset = 1e6;
    },
  ],
  'a tensor before the beginning': [
    /no whole numbers/,
    (d) => {
      d.tensors[0]!.offset = -4;
    },
  ],
  'a tensor of another length': [
    /has 61 elements/,
    (d) => {
      d.tensors[0]!.length = 61;
    },
  ],
  'a shape beyond all numbers': [
    /has 60 elements/,
    (d) => {
      d.tensors[0]!.shape = [2 ** 40, 2 ** 40, 2 ** 40, 2 ** 40];
    },
  ],
  'two tensors of one name': [
    /two tensors "v0"/,
    (d) => {
      d.tensors[1]!.name = 'v0';
    },
  ],
});

refused('separable', {
  'a depthwise convolution without batch norm': [
    /is not followed by batch norm, ReLU and a pointwise/,
    (d) => remove(d, 'FusedBatchNorm', 1),
  ],
  'a depthwise convolution before the pool': [
    /is not followed by batch norm, ReLU and a pointwise/,
    (d) => {
      for (const op of ['Conv2D', 'BiasAdd', 'FusedBatchNorm', 'Relu']) {
        remove(d, op, d.graph.filter((each) => each.op === op).length - 1);
      }
    },
  ],
  'a pointwise convolution with a stride': [
    /is not followed by/,
    (d) => {
      find(d, 'Conv2D', 1)['strides'] = [1, 2, 1, 1];
    },
  ],
  'a pool of a part': [
    /is over 4 x 3 of 5 x 3 x 7, expected all of it/,
    (d) => {
      find(d, 'AvgPool')['ksize'] = [1, 4, 3, 1];
    },
  ],
});

t.test('texts that are no descriptions', async (t) => {
  const { json, bin } = keywordFixture('plain');
  for (const text of ['', '{', 'null', '[]', '{}', '7', '{"tensors":[]}']) {
    t.throws(() => readArmKeywordNetwork(text, bin), FormatError, text);
  }
  t.throws(() => readArmKeywordNetwork(json, bin.subarray(0, bin.length - 4)), /cut short/);
  t.throws(() => readArmKeywordNetwork(json, bin.subarray(0, bin.length - 1)), /no whole number of floats/);
  t.throws(() => readArmKeywordNetwork(json, new Uint8Array(0)), /cut short/);
});

t.test('damaged descriptions give typed errors, fast and without much memory', async (t) => {
  for (const name of KEYWORD_FIXTURES) {
    const { json, bin } = keywordFixture(name);
    // without what only tests read, so that damage hits what is read
    const { expected: _, ...description } = JSON.parse(json) as Record<string, unknown>;
    const text = new TextEncoder().encode(JSON.stringify(description));
    const decoder = new TextDecoder();
    const { crashes, rejected, slowestMilliseconds, mostBytes } = await fuzz([text], 3000, (bytes) => {
      readArmKeywordNetwork(decoder.decode(bytes), bin);
    });
    t.same(crashes, []);
    t.ok(rejected > 2000, `${rejected} rejected`);
    t.ok(slowestMilliseconds < 2000 && mostBytes < 1 << 20, `${slowestMilliseconds} ms, ${mostBytes} bytes`);
  }
});

t.test("ARM's own networks", { skip: skipWithout(ARM_FOLDER) }, async (t) => {
  for (const [name, kinds] of [
    ['CNN_L', 'convolution, convolution, linear, linear'],
    ['CNN_S', 'convolution, convolution, linear, linear'],
    ['DS_CNN_S', 'convolution, separable, separable, separable, separable, average-pool'],
  ] as const) {
    const { config, labels, licence } = loadArmNetwork(name);
    t.equal(config.layers.map(({ kind }) => kind).join(', '), kinds);
    t.same([config.frames, config.features, config.classes], [49, 10, 12]);
    t.equal(labels[11], 'go');
    t.equal(licence, 'Apache-2.0');
  }
});
