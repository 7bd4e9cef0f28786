/**
 * CNN14 that learns: the arithmetic and the names of ../../nn/cnn14.ts, with batch norms that are not yet part of the
 * filters, and dropout after blocks (Kong et al. 2020).
 */
import {
  averagePool2d,
  conv2d,
  linear,
  poolImage,
  relu,
  reshape,
  transpose,
  type Variable,
} from '../../autograd/index.js';
import { type Cnn14Config, channelsBefore, cnn14Kind, KERNEL, poolsAfter } from '../../nn/cnn14-config.js';
import { ModelError } from '../../tensor/index.js';
import { absorbBatchNorms, batchNorm, batchNormBuffers, batchNormParameters } from './batch-norm.js';
import { dropoutOf } from './dropout.js';
import { all, glorotUniform } from './initialise.js';
import type { PackedSteps, ParameterSpec, Pass, TrainableNetwork } from './network.js';

export interface TrainableCnn14Options {
  /** Part of the numbers after each block that training sets to 0; default 0.2. */
  readonly dropout?: number;
}

/** An image of several recordings: x [Σ lengths, bands, channels]. */
type PackedImage = PackedSteps;

const SAME = { stride: [1, 1], padding: [1, 1], padMode: 'zero' } as const;
const HALVING = { window: [2, 2], stride: [2, 2] } as const;

const INPUT_NORM = 'embedding_model.norm0';
const HEAD = 'classifier';
const blockName = (block: number): string => `embedding_model.conv_block${block}`;

class TrainableCnn14 implements TrainableNetwork {
  readonly parameters: TrainableNetwork['parameters'];
  readonly buffers: TrainableNetwork['buffers'];
  private readonly norms: readonly string[];

  constructor(
    private readonly config: Cnn14Config,
    private readonly splitLayer: number,
    private readonly dropout: number,
  ) {
    const { mels, channels, classes } = config;
    const norms = new Map([[INPUT_NORM, mels]]);
    const filters: [string, ParameterSpec][] = [];
    channels.forEach((outChannels, b) => {
      const name = blockName(b + 1);
      for (const number of [1, 2]) {
        const inChannels = number === 1 ? channelsBefore(config, b + 1) : outChannels;
        const taps = KERNEL * KERNEL;
        const initialise = glorotUniform(taps * inChannels, taps * outChannels);
        const shape = [outChannels, inChannels, KERNEL, KERNEL];
        filters.push([`${name}.conv${number}.weight`, { shape, initialise, decay: true }]);
        norms.set(`${name}.norm${number}`, outChannels);
      }
    });
    const features = channels[channels.length - 1]!;
    this.norms = [...norms.keys()];
    this.parameters = new Map([
      ...[...norms].flatMap(([name, size]) => batchNormParameters(name, size)),
      ...filters,
      [
        `${HEAD}.weight`,
        { shape: [classes, features], initialise: glorotUniform(features, classes), decay: true },
      ],
      [`${HEAD}.bias`, { shape: [classes], initialise: all(0), decay: false }],
    ]);
    this.buffers = new Map([...norms].flatMap(([name, size]) => batchNormBuffers(name, size)));
  }

  prefix(pass: Pass, { x, lengths }: PackedSteps): PackedSteps {
    const normed = batchNorm(pass, INPUT_NORM, x);
    const image = { x: reshape(normed, [...normed.shape, 1]), lengths };
    const y = this.through(pass, image, 1, this.splitLayer);
    const [steps, bands, channels] = y.x.shape as [number, number, number];
    return { x: reshape(y.x, [steps, bands * channels]), lengths: y.lengths };
  }

  suffix(pass: Pass, { x, lengths }: PackedSteps): PackedSteps {
    const { bands, channels } = cnn14Kind.cut(this.config, this.splitLayer);
    const arrived = { x: reshape(x, [x.shape[0]!, bands, channels]), lengths };
    // The last block of the device drops out here, behind the quantiser: codewords are for what devices send.
    const image = this.splitLayer === 0 ? arrived : { ...arrived, x: this.dropped(pass, arrived.x) };
    const y = this.through(pass, image, this.splitLayer + 1, this.config.channels.length);
    const last = this.splitLayer === this.config.channels.length ? y.x : this.dropped(pass, y.x);
    const embedding = poolImage(last, y.lengths);
    const logits = linear(embedding, pass.parameter(`${HEAD}.weight`), pass.parameter(`${HEAD}.bias`));
    return { x: logits, lengths: lengths.map(() => 1) };
  }

  absorb: NonNullable<TrainableNetwork['absorb']> = (buffers, reported) =>
    absorbBatchNorms(this.norms, buffers, reported);

  /** Blocks `from` to `to`, counted from 1, both included; dropout between them. */
  private through(pass: Pass, image: PackedImage, from: number, to: number): PackedImage {
    let y = image;
    for (let block = from; block <= to; block++) {
      if (block > from) y = { ...y, x: this.dropped(pass, y.x) };
      y = this.block(pass, y, block);
    }
    return y;
  }

  private block(pass: Pass, image: PackedImage, block: number): PackedImage {
    const name = blockName(block);
    let y = image;
    for (const number of [1, 2]) {
      // Stored [out, in, time, frequency]
      const weight = transpose(pass.parameter(`${name}.conv${number}.weight`), [0, 2, 3, 1]);
      const convolved = conv2d(y.x, weight, null, SAME, y.lengths);
      y = {
        x: relu(batchNorm(pass, `${name}.norm${number}`, convolved.y)),
        lengths: convolved.lengths,
      };
    }
    if (!poolsAfter(this.config, block)) return y;
    const pooled = averagePool2d(y.x, HALVING, y.lengths);
    return { x: pooled.y, lengths: pooled.lengths };
  }

  private dropped(pass: Pass, x: Variable): Variable {
    return dropoutOf(pass, this.dropout)(x);
  }
}

/** Throws ModelError where the configuration could be no network, or has a head that training does not know. */
export function trainableCnn14(
  config: Cnn14Config,
  splitLayer: number,
  { dropout = 0.2 }: TrainableCnn14Options = {},
): TrainableNetwork {
  cnn14Kind.check(config);
  const layers = cnn14Kind.layers(config);
  if (!Number.isInteger(splitLayer) || splitLayer < 0 || splitLayer > layers) {
    throw new ModelError(`cnn14: it has ${layers} layers and can't be cut after layer ${splitLayer}`);
  }
  if (config.head !== 'linear') {
    throw new ModelError(`cnn14: there is no training of a ${config.head} head, expected linear`);
  }
  return new TrainableCnn14(config, splitLayer, dropout);
}
