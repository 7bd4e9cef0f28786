/** What is timed: workloads of the shipped model, and of larger ones that a GPU without a GPU still gets through. */
import { kernelSpecs } from '../../kernels/index.js';

/** Names of workloads by operation; those of operations without a GPU variant are left out. */
export const SELECTION: Readonly<Record<string, readonly string[]>> = {
  matmul: [
    'shipped model, feed-forward in, 1 s',
    'shipped model, feed-forward out, 10 s',
    'conformer small, feed-forward out, 10 s',
  ],
  conv2d: ['shipped model, second layer, 1 s', 'CNN14 block 2, 1 s'],
  'average-pool2d': ['CNN14 block 5, 5 s', 'CNN14 block 1, 5 s'],
  'depthwise-conv1d': ['shipped model, 10 s', 'conformer large, 10 s'],
  'depthwise-conv2d': ['keyword DS-CNN small, 1 s', 'MobileNet, 96 x 64'],
  'relative-attention': ['shipped model, 1 s', 'shipped model, 10 s', 'conformer large, 1 s'],
  'rotary-positions': ['conformer large, queries of 10 s'],
  softmax: ['class scores of the shipped model, 10 s', 'attention rows, 4 heads, 10 s'],
  'log-softmax': ['class scores of the shipped model, 10 s'],
  'layer-norm': ['shipped model, 10 s', 'conformer large, 10 s'],
  'batch-norm': ['CNN14 input, 5 s', 'CNN14 block 2, 1 s'],
  swish: ['shipped model, feed-forward, 10 s', 'conformer large, feed-forward, 10 s'],
  relu: ['conformer large, feed-forward, 10 s'],
  'leaky-relu': ['conformer large, feed-forward, 10 s'],
  glu: ['shipped model, 10 s', 'conformer large, 10 s'],
  'scaled-add': ['shipped model, feed-forward, 10 s', 'conformer large, feed-forward, 10 s'],
  'frame-pooling': ['shipped model, 10 s'],
  'nearest-codeword': ['shipped model, 10 s', '250 frames, d 144, 1 x 1024'],
  'log-mel': ['shipped model, 10 s', 'conformer small, 10 s'],
};

/** Sides of square products, smallest first. */
export const LADDER: readonly number[] = [16, 32, 64, 128, 256, 512, 1024];

/** Numbers that are uploaded and read back. */
export const TRANSFERS: readonly number[] = [2 ** 10, 2 ** 12, 2 ** 14, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22];

/** Names of the selection that no spec has. */
export const unknownNames = (): string[] =>
  Object.entries(SELECTION).flatMap(([operation, workloads]) => {
    const spec = kernelSpecs.find(({ name }) => name === operation);
    if (!spec) return [operation];
    const known = spec.visit(({ workloads }) => workloads.map(({ name }) => name));
    return workloads.filter((name) => !known.includes(name)).map((name) => `${operation}: ${name}`);
  });
