/**
 * The device half of the shipped model on 10 s of speech: all of it, which no peer can do, and its network from
 * features to frames, which onnxruntime can with absolute attention.
 */
import { readFileSync } from 'node:fs';
import { readSafetensors } from '../../../src/checkpoints/index.js';
import {
  type CodecConfig,
  isCodec,
  loadCodecModel,
  parseConfig,
  recognizerOf,
} from '../../../src/codec/index.js';
import {
  ConformerPrefix,
  conformerMacs,
  encoderFrames,
  flattenedFeatures,
  frontEndLength,
  Parameters,
  type StateDict,
} from '../../../src/nn/index.js';
import { createRandom } from '../../../src/tensor/index.js';
import { modelPath, speech } from '../../shipped.js';
import { observe } from '../../sink.js';
import { type Candidate, ortEntries } from '../candidates.js';
import { plainLayer, withoutPositions } from '../conformer-layer.js';
import { onnxOps } from '../layer-ops.js';
import { OnnxGraph, type Value } from '../onnx.js';
import { chosenName, networkEntry, resident } from '../ours.js';
import { type Case, permuted, transposed } from './case.js';

const SECONDS = 10;

const wholeHalf: Case = {
  group: 'device half',
  name: `samples to bytes, ${SECONDS} s of speech`,
  operations: null,
  entries: () => [
    {
      name: chosenName(),
      async build(): Promise<Candidate> {
        const encoder = await (await loadCodecModel(modelPath)).deviceEncoder();
        const { samples, sampleRate } = speech(SECONDS);
        const encode = () => encoder.encode(samples, sampleRate);
        return { run: () => void encode(), result: encode, close: () => observe(encode()) };
      },
    },
  ],
};

/** The part of a state dict under `prefix`, without it. */
const under = (state: StateDict, prefix: string): StateDict =>
  new Map(
    [...state].flatMap(([name, x]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), x] as const] : [],
    ),
  );

/** Features [frames, mels] to frames [frames', width], with absolute attention. */
function prefixModel(config: CodecConfig, state: StateDict, frames: number): Uint8Array {
  const { splitLayer } = config;
  const { network } = recognizerOf(config);
  const { frontEnd, encoder } = network;
  const data = (name: string) => state.get(name)!.data as Float32Array;
  const graph = new OnnxGraph();
  const ops = onnxOps(graph);
  let image: Value = graph.node('Reshape', [
    graph.input('x', [frames, frontEnd.mels]),
    graph.integers(1, 1, frames, frontEnd.mels),
  ]);
  let rows: Value = image;
  frontEnd.channels.forEach((channels, block) => {
    const [kernel, stride] = [frontEnd.kernelSizes[block]!, frontEnd.strides[block]!];
    const inChannels = frontEnd.channels[block - 1] ?? 1;
    const name = `0.convblock_${block}.convs`;
    const upTo = { ...frontEnd, channels: frontEnd.channels.slice(0, block + 1) };
    const [height, width] = [frontEndLength(upTo, frames), frontEndLength(upTo, frontEnd.mels)];
    const half = Math.floor(kernel / 2);
    const padding = graph.integers(0, 0, half, half, 0, 0, half, half);
    // Stored [out, in, frequency, time]; images are [channels, time, frequency].
    const filters = permuted(
      data(`${name}.conv_0.conv.weight`),
      [channels, inChannels, kernel, kernel],
      [0, 1, 3, 2],
    );
    const y = graph.node(
      'Conv',
      [
        graph.node('Pad', [image, padding], { mode: { text: 'reflect' } }),
        graph.constant(filters, [channels, inChannels, kernel, kernel]),
        graph.constant(data(`${name}.conv_0.conv.bias`), [channels]),
      ],
      { strides: { ints: [stride, stride] } },
    );
    const flat = [height, width * channels];
    rows = graph.node('Reshape', [
      graph.node('Transpose', [y], { perm: { ints: [0, 2, 3, 1] } }),
      graph.integers(...flat),
    ]);
    const [weight, bias] = ['weight', 'bias'].map((part) =>
      ops.weights(data(`${name}.norm_0.norm.${part}`), [width * channels]),
    ) as [Value, Value];
    rows = graph.node('LeakyRelu', [ops.layerNorm(rows, weight, bias)], { alpha: { float: 0.01 } });
    const pixels = graph.node('Reshape', [rows, graph.integers(1, height, width, channels)]);
    image = graph.node('Transpose', [pixels], { perm: { ints: [0, 3, 1, 2] } });
  });
  const inputs = flattenedFeatures(network);
  const source = '1.custom_src_module.layers.0.w';
  const steps = encoderFrames(network, frames);
  let y = ops.linear(
    rows,
    ops.weights(transposed(data(`${source}.weight`), encoder.width, inputs), [inputs, encoder.width]),
    ops.weights(data(`${source}.bias`), [encoder.width]),
  );
  for (let layer = 0; layer < splitLayer; layer++) {
    y = plainLayer(ops, under(state, `1.encoder.layers.${layer}.`), encoder)(y, steps);
  }
  graph.output('y', y, [steps, encoder.width]);
  return graph.bytes();
}

function networkCase(): Case {
  const file = readSafetensors(readFileSync(modelPath));
  const config = parseConfig(file.metadata.get('config') ?? '');
  if (!isCodec(config)) throw new Error('the shipped model has no codebooks');
  const { splitLayer } = config;
  const { network, frontEnd } = recognizerOf(config);
  const frames = 1 + Math.floor((SECONDS * frontEnd.sampleRate) / frontEnd.hopSamples);
  return {
    group: 'device half',
    name: `features to frames, ${SECONDS} s`,
    operations: 2 * conformerMacs(network, frames, splitLayer).device,
    entries(peers) {
      const state: StateDict = file.tensors;
      const random = createRandom(41);
      const shape = [frames, frontEnd.mels];
      const x = {
        data: Float32Array.from({ length: frames * frontEnd.mels }, () => 2 * random() - 1),
        shape,
      };
      return [
        {
          name: chosenName(),
          build() {
            const input = resident(x.data, [1, ...shape]);
            const prefix = new ConformerPrefix(new Parameters(state), network, splitLayer);
            const plain = new ConformerPrefix(new Parameters(withoutPositions(state)), network, splitLayer);
            return networkEntry(
              () => prefix.forward(input),
              () => plain.forward(input),
            ).build();
          },
        },
        ...ortEntries(peers, () => prefixModel(config, state, frames), { x }, 'y'),
      ];
    },
  };
}

export const deviceCases: readonly Case[] = [wholeHalf, networkCase()];
