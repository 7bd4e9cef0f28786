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
