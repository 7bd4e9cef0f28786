/** Convolutions, each peer in the order of axes that it likes best: NCHW for ONNX and jax-js, NHWC for tfjs. */
import { conv2dSpec } from '../../../kernels/conv2d/spec.js';
import { depthwiseConv1dSpec } from '../../../kernels/depthwise-conv1d/spec.js';
import { jaxEntry, ortEntries, tfEntry } from '../candidates.js';
import { OnnxGraph } from '../onnx.js';
import { kernelEntries } from '../ours.js';
import { type Case, permuted, transposed } from './case.js';

const FRAMES = 250;
const TAPS = 31;

export const depthwiseCases: readonly Case[] = [144, 512].map((channels) => ({
  group: 'depthwise conv1d',
  name: `${FRAMES} frames × ${channels} channels, ${TAPS} taps`,
  operations: 2 * FRAMES * channels * TAPS,
  entries(peers) {
    const ours = kernelEntries(depthwiseConv1dSpec, { frames: FRAMES, channels, taps: TAPS }, 'y');
    const [frames, weight, bias] = [ours.input('x'), ours.input('weight'), ours.input('bias')];
    const x = { data: transposed(frames, FRAMES, channels), shape: [1, channels, FRAMES] };
    const w = { data: weight, shape: [channels, 1, TAPS] };
    const b = { data: bias, shape: [1, channels, 1] };
    const half = (TAPS - 1) / 2;
    const model = () => {
      const graph = new OnnxGraph();
      const constants = [graph.constant(weight, w.shape), graph.constant(bias, [channels])];
      const y = graph.node('Conv', [graph.input('x', x.shape), ...constants], {
        group: { int: channels },
        pads: { ints: [half, half] },
      });
      graph.output('y', y, x.shape);
      return graph.bytes();
    };
    const arrange = (y: ArrayLike<number>) => transposed(y, channels, FRAMES);
    return [
      ...ours.entries,
      ...ortEntries(peers, model, { x }, 'y', arrange),
      ...tfEntry(peers, (tf, keep) => {
        const image = keep(frames, [1, 1, FRAMES, channels]);
        const filter = keep(transposed(weight, channels, TAPS), [1, TAPS, channels, 1]);
        const tfBias = keep(bias, [channels]);
        return () => tf.fused.depthwiseConv2d({ x: image, filter, strides: 1, pad: 'same', bias: tfBias });
      }),
      ...jaxEntry(
        peers,
        ({ lax }) => ({
          compute: (signal, filter, offset) =>
            lax
              .convGeneralDilated(signal!, filter!, [1], [[half, half]], { featureGroupCount: channels })
              .add(offset!),
          inputs: [x, w, b],
        }),
        arrange,
      ),
    ];
  },
}));

/** [in, out, height, width] */
const IMAGES = [
  [64, 64, 64, 100],
  [1, 64, 64, 500],
  [128, 256, 16, 125],
] as const;

export const conv2dCases: readonly Case[] = IMAGES.map(([inChannels, outChannels, height, width]) => ({
  group: 'conv2d',
  name: `3 × 3, ${inChannels} → ${outChannels}, ${height} × ${width}`,
  operations: 2 * 9 * inChannels * outChannels * height * width,
  entries(peers) {
    const sizes = {
      height,
      width,
      inChannels,
      outChannels,
      ...{ kernelHeight: 3, kernelWidth: 3, strideHeight: 1, strideWidth: 1 },
      ...{ padHeight: 1, padWidth: 1, padMode: 'zero' as const },
    };
    const ours = kernelEntries(conv2dSpec, sizes, 'y');
    const [image, filters, bias] = [ours.input('x'), ours.input('weight'), ours.input('bias')];
    const filterShape = [outChannels, 3, 3, inChannels];
    const x = {
      data: permuted(image, [height, width, inChannels], [2, 0, 1]),
      shape: [1, inChannels, height, width],
    };
    const w = { data: permuted(filters, filterShape, [0, 3, 1, 2]), shape: [outChannels, inChannels, 3, 3] };
    const b = { data: bias, shape: [1, outChannels, 1, 1] };
    const model = () => {
      const graph = new OnnxGraph();
      const constants = [graph.constant(w.data, w.shape), graph.constant(bias, [outChannels])];
      const y = graph.node('Conv', [graph.input('x', x.shape), ...constants], {
        pads: { ints: [1, 1, 1, 1] },
      });
      graph.output('y', y, [1, outChannels, height, width]);
      return graph.bytes();
    };
    const arrange = (y: ArrayLike<number>) => permuted(y, [outChannels, height, width], [1, 2, 0]);
    return [
      ...ours.entries,
      ...ortEntries(peers, model, { x }, 'y', arrange),
      ...tfEntry(peers, (tf, keep) => {
        const pixels = keep(image, [1, height, width, inChannels]);
        const filter = keep(permuted(filters, filterShape, [1, 2, 3, 0]), [3, 3, inChannels, outChannels]);
        const tfBias = keep(bias, [outChannels]);
        return () => tf.fused.conv2d({ x: pixels, filter, strides: 1, pad: 'same', bias: tfBias });
      }),
      ...jaxEntry(
        peers,
        ({ lax }) => ({
          compute: (pixels, filter, offset) =>
            lax
              .convGeneralDilated(
                pixels!,
                filter!,
                [1, 1],
                [
                  [1, 1],
                  [1, 1],
                ],
              )
              .add(offset!),
          inputs: [x, w, b],
        }),
        arrange,
      ),
    ];
  },
}));
