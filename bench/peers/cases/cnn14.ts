/**
 * Blocks 1 to 3 of CNN14 (Kong et al. 2020): twice convolution 3 × 3, batch norm, ReLU, then the mean of 2 × 2
 * pixels. Batch norm is folded into the weights on all sides, as everyone does.
 */
import { type Conv2dFilters, conv2dPacked, packConv2d } from '../../../src/ops/index.js';
import { createRandom, empty, type Tensor, view } from '../../../src/tensor/index.js';
import { ortEntries, tfEntry } from '../candidates.js';
import { OnnxGraph } from '../onnx.js';
import { chosenName, networkEntry, resident } from '../ours.js';
import { type Case, permuted } from './case.js';

const FRAMES = 500;
const MELS = 64;
const CHANNELS = [1, 64, 128, 256];

interface Convolution {
  readonly inChannels: number;
  readonly outChannels: number;
  /** [out, 3, 3, in] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

function randomConvolutions(): Convolution[] {
  const random = createRandom(21);
  return CHANNELS.slice(1).flatMap((outChannels, block) =>
    [CHANNELS[block]!, outChannels].map((inChannels) => {
      const range = Math.sqrt(6 / (9 * inChannels));
      const uniform = (length: number, most: number) =>
        Float32Array.from({ length }, () => most * (2 * random() - 1));
      return {
        inChannels,
        outChannels,
        weight: uniform(outChannels * 9 * inChannels, range),
        bias: uniform(outChannels, 0.1),
      };
    }),
  );
}

/** Pixels of an image after `block` blocks. */
const pixels = (block: number) => Math.floor(FRAMES / 2 ** block) * Math.floor(MELS / 2 ** block);

const operations = CHANNELS.slice(1)
  .flatMap((out, block) => [CHANNELS[block]!, out].map((inChannels) => 18 * inChannels * out * pixels(block)))
  .reduce((sum, each) => sum + each, 0);

/** Mean of 2 × 2 pixels of x [1, height, width, channels]; a last odd row or column is left out. */
function averagePool(x: Tensor): Tensor {
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const y = empty([1, height >> 1, width >> 1, channels]);
  const [from, to] = [x.data, y.data];
  const row = width * channels;
  let at = y.offset;
  for (let r = 0; r + 1 < height; r += 2) {
    for (let s = 0; s + 1 < width; s += 2) {
      const first = x.offset + r * row + s * channels;
      for (let c = first; c < first + channels; c++) {
        to[at++] = 0.25 * (from[c]! + from[c + channels]! + from[c + row]! + from[c + row + channels]!);
      }
    }
  }
  return y;
}

function blocks(image: Tensor, filters: readonly Conv2dFilters[]): Tensor {
  let x = image;
  for (let at = 0; at < filters.length; at += 2) {
    x = averagePool(conv2dPacked(conv2dPacked(x, filters[at]!, 'relu'), filters[at + 1]!, 'relu'));
  }
  return x;
}

export const cnn14Cases: readonly Case[] = [
  {
    group: 'CNN14',
    name: `blocks 1 to 3, ${FRAMES} × ${MELS}`,
    operations,
    entries(peers) {
      const convolutions = randomConvolutions();
      const random = createRandom(22);
      const image = Float32Array.from({ length: FRAMES * MELS }, () => 2 * random() - 1);
      const x = { data: image, shape: [1, 1, FRAMES, MELS] };
      const last = CHANNELS[CHANNELS.length - 1]!;
      const [height, width] = [Math.floor(FRAMES / 8), Math.floor(MELS / 8)];
      const model = () => {
        const graph = new OnnxGraph();
        let y = graph.input('x', x.shape);
        convolutions.forEach(({ inChannels, outChannels, weight, bias }, at) => {
          const filters = permuted(weight, [outChannels, 3, 3, inChannels], [0, 3, 1, 2]);
          const constants = [
            graph.constant(filters, [outChannels, inChannels, 3, 3]),
            graph.constant(bias, [outChannels]),
          ];
          y = graph.node('Conv', [y, ...constants], { pads: { ints: [1, 1, 1, 1] } });
          y = graph.node('Relu', [y]);
          const window = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } };
          if (at % 2 === 1) y = graph.node('AveragePool', [y], window);
        });
        graph.output('y', y, [1, last, height, width]);
        return graph.bytes();
      };
      return [
        {
          name: chosenName(),
          build() {
            const options = { stride: [1, 1], padding: [1, 1], padMode: 'zero' } as const;
            const filters = convolutions.map(({ inChannels, outChannels, weight, bias }) =>
              packConv2d(view(weight, [outChannels, 3, 3, inChannels]), view(bias, [outChannels]), options),
            );
            const input = resident(image, [1, FRAMES, MELS, 1]);
            return networkEntry(() => blocks(input, filters)).build();
          },
        },
        ...ortEntries(peers, model, { x }, 'y', (y) => permuted(y, [last, height, width], [1, 2, 0])),
        ...tfEntry(peers, (tf, keep) => {
          const input = keep(image, [1, FRAMES, MELS, 1]);
          const kept = convolutions.map(({ inChannels, outChannels, weight, bias }) => ({
            filter: keep(permuted(weight, [outChannels, 3, 3, inChannels], [1, 2, 3, 0]), [
              3,
              3,
              inChannels,
              outChannels,
            ]),
            bias: keep(bias, [outChannels]),
          }));
          return () => {
            let y = input;
            kept.forEach((constants, at) => {
              y = tf.fused.conv2d({ x: y, strides: 1, pad: 'same', activation: 'relu', ...constants });
              if (at % 2 === 1) y = tf.avgPool(y, 2, 2, 'valid');
            });
            return y;
          };
        }),
      ];
    },
  },
];
