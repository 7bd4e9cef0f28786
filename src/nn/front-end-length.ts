import { ModelError } from '../tensor/index.js';

/** The convolutional front end of a conformer before it has weights: its configuration, and how long its axes are. */
export interface ConvolutionFrontEndConfig {
  readonly mels: number;
  /** Output channels, kernel size and stride of each block. */
  readonly channels: readonly number[];
  readonly kernelSizes: readonly number[];
  readonly strides: readonly number[];
}

/** Length of an axis after a block: reflect padding of floor(kernel / 2) on both sides. */
export const blockLength = (length: number, kernel: number, stride: number): number =>
  Math.floor((length + 2 * Math.floor(kernel / 2) - kernel) / stride) + 1;

/** Length of an axis after all blocks. */
export const frontEndLength = (config: ConvolutionFrontEndConfig, length: number): number =>
  config.channels.reduce((n, _, b) => blockLength(n, config.kernelSizes[b]!, config.strides[b]!), length);

/**
 * Output steps to run before the first wanted one, so that no padding reaches it: as many as cover what its receptive field
 * has before its own stride of input. Throws ModelError where a field reaches beyond it, which a chunk would have to wait for, and
 * where kernels are even: each then adds a step at the end of what it gets, of every chunk.
 */
export function frontEndContext({ kernelSizes, strides }: ConvolutionFrontEndConfig): number {
  const even = kernelSizes.find((kernel) => kernel % 2 === 0);
  if (even !== undefined) {
    throw new ModelError(`conformer: a front end that runs in chunks has odd kernels, not one of ${even}`);
  }
  let [before, behind, stride] = [0, 0, 1];
  for (let b = kernelSizes.length - 1; b >= 0; b--) {
    const [kernel, step] = [kernelSizes[b]!, strides[b]!];
    before = before * step + Math.floor(kernel / 2);
    behind = behind * step + kernel - 1 - Math.floor(kernel / 2);
    stride *= step;
  }
  if (behind >= stride) {
    throw new ModelError(
      `conformer: a frame of the front end reaches ${behind} feature frames ahead, and chunks allow for ${stride - 1}`,
    );
  }
  return Math.ceil(before / stride);
}
