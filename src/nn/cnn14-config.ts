/**
 * What a CNN14 is before it has weights (Kong et al. 2020, as SpeechBrain builds it): its configuration, and where it can
 * be cut. Layer 0 is what the first norm gives, layer b what block b gives after its pooling.
 */
import { ModelError } from '../tensor/index.js';
import type { NetworkKind } from './network.js';
import { requireSizes } from './sizes.js';

export interface Cnn14Config {
  readonly type: 'cnn14';
  readonly mels: number;
  /** Output channels of each block; the published ones are 64, 128, 256, 512, 1024, 2048. */
  readonly channels: readonly number[];
  readonly classes: number;
  /** A linear layer, or the cosine of the angle to a direction for each class (ECAPA's classifier). */
  readonly head: 'linear' | 'cosine';
  /** Of a cosine head: features that directions have; 192 published. */
  readonly headWidth?: number;
}

/** Sizes beyond every published model; they bound what a header can make us allocate. */
const MOST = { mels: 1024, blocks: 10, channels: 8192, classes: 1 << 20 };
const MOST_HEAD_WIDTH = 65536;

/** Of a block: rows and columns of every filter. */
export const KERNEL = 3;

/** Throws ModelError where a configuration could not be a network. */
function check(config: Cnn14Config): void {
  const { mels, channels, classes, head, headWidth } = config;
  if (!Array.isArray(channels)) throw new ModelError('cnn14: channels is no list');
  requireSizes('cnn14', { mels, blocks: channels.length, channels, classes }, MOST);
  if (head !== 'linear' && head !== 'cosine') {
    throw new ModelError(`cnn14: head is ${String(head)}, expected linear or cosine`);
  }
  if (head === 'cosine') requireSizes('cnn14', { headWidth }, { headWidth: MOST_HEAD_WIDTH });
  const [least, blocks] = [leastLength(config), channels.length];
  if (mels < least) {
    throw new ModelError(`cnn14: ${mels} mels do not last for ${blocks} blocks, expected at least ${least}`);
  }
}

/** Every block but the last halves both axes. */
const poolings = ({ channels }: Cnn14Config): number => channels.length - 1;

/** The shortest axis of which something is left after all poolings. */
const leastLength = (config: Cnn14Config): number => 2 ** poolings(config);

/** Whether block `block`, counted from 1, halves both axes at its end. */
export const poolsAfter = (config: Cnn14Config, block: number): boolean => block <= poolings(config);

/** Length after `layer` of an axis of `length`. */
export const lengthAfter = (config: Cnn14Config, layer: number, length: number): number =>
  Math.floor(length / 2 ** Math.min(layer, poolings(config)));

/** Input channels of block `block`, counted from 1; also the channels after the layer before it. */
export const channelsBefore = ({ channels }: Cnn14Config, block: number): number =>
  block === 1 ? 1 : channels[block - 2]!;

/** Multiply-accumulates of block `block` for `frames` feature frames. */
function blockMacs(config: Cnn14Config, block: number, frames: number): number {
  const pixels = lengthAfter(config, block - 1, frames) * lengthAfter(config, block - 1, config.mels);
  const [from, to] = [channelsBefore(config, block), config.channels[block - 1]!];
  return pixels * KERNEL * KERNEL * (from * to + to * to);
}

function headMacs({ channels, classes, head, headWidth = 0 }: Cnn14Config): number {
  const features = channels[channels.length - 1]!;
  return head === 'linear' ? features * classes : headWidth * (features + classes);
}

const NORM = /^(weight|bias|running_mean|running_var)$/;
const LINEAR_HEAD = /^(weight|bias)$/;
const COSINE_HEAD =
  /^(weight|blocks\.0\.norm\.(weight|bias|running_mean|running_var)|blocks\.1\.w\.(weight|bias))$/;
const BLOCK = /^conv_block([1-9]\d*)\.(conv[12]\.weight|norm[12]\.(.*))$/;

/** What stands after `prefix` in `name`; null where it does not begin so. */
const after = (prefix: string, name: string): string | null =>
  name.startsWith(prefix) ? name.slice(prefix.length) : null;

export const cnn14Kind: NetworkKind<Cnn14Config> = {
  check,
  task: 'classification',
  describe: ({ channels, head }) => `CNN14, ${channels.join('-')} channels, ${head} head`,
  features: ({ mels }) => mels,
  layers: ({ channels }) => channels.length,
  cut: (config, layer) => ({
    bands: lengthAfter(config, layer, config.mels),
    channels: channelsBefore(config, layer + 1),
  }),
  steps: (config, layer, frames) => lengthAfter(config, layer, frames),
  leastFrames: leastLength,
  mostFrames: () => Number.POSITIVE_INFINITY,
  halfOf(config, layer, name) {
    const inHead = after('classifier.', name);
    if (inHead !== null)
      return (config.head === 'linear' ? LINEAR_HEAD : COSINE_HEAD).test(inHead) ? 'cloud' : null;
    const inside = after('embedding_model.', name);
    if (inside === null) return null;
    const inNorm = after('norm0.', inside);
    if (inNorm !== null) return NORM.test(inNorm) ? 'device' : null;
    const [, number, , inBlockNorm] = BLOCK.exec(inside) ?? [];
    const block = Number(number ?? 0);
    if (block < 1 || block > config.channels.length) return null;
    if (inBlockNorm !== undefined && !NORM.test(inBlockNorm)) return null;
    return block <= layer ? 'device' : 'cloud';
  },
  macs(config, layer, frames) {
    const blocks = config.channels.map((_, b) => blockMacs(config, b + 1, frames));
    const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
    return { device: sum(blocks.slice(0, layer)), cloud: sum(blocks.slice(layer)) + headMacs(config) };
  },
};
