/**
 * A codec from a network that somebody trained: codebooks are fitted by k-means to what goes over the cut on some
 * recordings, and the entropy tables count how often each codeword was used there. The network stays as it is.
 */

import type { TensorData } from '../checkpoints/index.js';
import {
  CODEBOOKS,
  type CodecConfig,
  DECODE,
  type DeviceNetwork,
  dataOf,
  deviceNetworkFrom,
  ENCODE,
  type ModelSource,
  openModel,
  parseConfig,
  type QuantizerConfig,
  roleOf,
  VectorLayout,
  writeModel,
} from '../codec/index.js';
import { Parameters } from '../nn/index.js';
import { linear } from '../ops/index.js';
import { fitGroups, GroupedQuantizer } from '../quantizer/index.js';
import { ModelError, UsageError, view } from '../tensor/index.js';
import { type ReaderMaps, readerMetric } from './reader-metric.js';
import { Reservoir } from './reservoir.js';
import { SentCodewords } from './sent-codewords.js';

export interface FitCodecOptions
  extends Pick<QuantizerConfig, 'codebooks' | 'codewords' | 'vectors' | 'groups' | 'pooledBy'> {
  /** Layers that run on the device. */
  readonly splitLayer: number;
  /** Consecutive time steps that become one; default 1. */
  readonly pooling?: number;
  /**
   * What k-means makes small: the plain squared error, or that which the layer sees that reads the vectors (reader-metric.ts),
   * known where it is linear or a convolution. Default plain.
   */
  readonly metric?: 'plain' | 'reader';
  /** Codebooks that an encoder uses where it is not told; all of them where this is left out. */
  readonly defaultCodebooks?: number;
  /** What the codec model is called; the network's name where this is left out. */
  readonly name?: string;
  /** Default 1. The same recordings and seed give the same codebooks. */
  readonly seed?: number;
  /** Rounds of k-means at most, default 25. */
  readonly rounds?: number;
  /** Vectors that codebooks are fitted to at most; of more, a random part is taken. Default: 256 MB of them. */
  readonly mostVectors?: number;
  /** Called after each round: the stage (of all groups), the round, the mean squared error. */
  readonly onRound?: (stage: number, round: number, distortion: number) => void;
}

/** Numbers of all vectors that are kept where `mostVectors` says nothing (256 MB). */
const MOST_NUMBERS = 1 << 26;

/** Takes recordings, then gives the codec model. */
export class CodecFitter {
  private readonly reservoir: Reservoir;
  private readonly layout: VectorLayout;

  constructor(
    readonly config: CodecConfig,
    private readonly tensors: ReadonlyMap<string, ReturnType<typeof dataOf>>,
    private readonly network: DeviceNetwork,
    private readonly options: FitCodecOptions,
    private readonly maps: ReaderMaps | null,
  ) {
    this.layout = new VectorLayout(config);
    const { width } = this.layout;
    const most = options.mostVectors ?? Math.floor(MOST_NUMBERS / width);
    const { codewords } = config.quantizer;
    if (!Number.isInteger(most) || most < codewords) {
      throw new UsageError(
        `fit: at most ${most} vectors of ${width} numbers are kept, too few for ${codewords} codewords: use fewer ` +
          'codewords, vectors of positions, or another layer',
      );
    }
    this.reservoir = new Reservoir(width, most, options.seed ?? 1);
  }

  /** Takes one recording in pieces. */
  stream(sampleRate: number): { push(samples: Float32Array): void; finish(): void } {
    return this.network(sampleRate, (steps, { start, from, to }) => {
      this.reservoir.add(
        this.layout
          .toVectors(steps)
          .lo(from - start, 0)
          .hi(to - from),
      );
    });
  }

  /** Vectors that the codebooks are fitted to. */
  get vectors(): number {
    return this.reservoir.size;
  }

  /** The codec model's file. Throws UsageError where the recordings had fewer vectors than there are codewords. */
  finish(): Uint8Array {
    const { codebooks, codewords, groups = 1 } = this.config.quantizer;
    const raw = this.reservoir.vectors();
    const [count, width] = raw.shape as [number, number];
    if (count < codewords) {
      throw new UsageError(
        `fit: the recordings give ${count} vectors, fewer than the ${codewords} codewords: take more recordings, or ` +
          'fewer codewords',
      );
    }
    const vectors = this.maps === null ? raw : linear(raw, view(this.maps.encode, [width, width]), null);
    const books = fitGroups(vectors, groups, {
      stages: codebooks,
      codewords,
      seed: this.options.seed ?? 1,
      ...(this.options.rounds === undefined ? {} : { rounds: this.options.rounds }),
      ...(this.options.onRound === undefined ? {} : { onRound: this.options.onRound }),
    });
    // Vectors by chance and in no order: they say how often codewords are used, and nothing of contexts.
    const sent = new SentCodewords(this.config.quantizer);
    sent.add(new GroupedQuantizer(books, groups).encode(vectors));
    const shared = new Map([[CODEBOOKS, dataOf(books)], ...sent.frequencies()]);
    return writeModel(this.config, new Map([...this.tensors, ...shared, ...this.mapTensors(width)]));
  }

  private mapTensors(width: number): [string, TensorData][] {
    if (this.maps === null) return [];
    const bias = { data: new Float32Array(width), shape: [width] };
    return [
      [`${ENCODE}.weight`, { data: this.maps.encode, shape: [width, width] }],
      [`${ENCODE}.bias`, bias],
      [`${DECODE}.weight`, { data: this.maps.decode, shape: [width, width] }],
      [`${DECODE}.bias`, bias],
    ];
  }
}

/** The configuration that options come to. Throws UsageError where the network can't be cut or quantised so. */
function configOf(wanted: object): CodecConfig {
  try {
    return parseConfig(JSON.stringify(wanted)) as CodecConfig;
  } catch (error) {
    // The network was believed before: what is wrong now are the options.
    if (error instanceof ModelError) throw new UsageError(error.message.replace(/^codec model:/, 'fit:'));
    throw error;
  }
}

/**
 * Begins a codec on the network of a model, with codebooks or without. Throws as `loadNetworkModel` does, and UsageError
 * where the network can't be cut or quantised so.
 */
export async function fitCodec(source: ModelSource, options: FitCodecOptions): Promise<CodecFitter> {
  const model = await openModel(source);
  const { name, splitLayer, codebooks, codewords, pooling = 1, vectors, groups, pooledBy } = options;
  const defaultCodebooks = options.defaultCodebooks ?? codebooks;
  const quantizer = { codebooks, codewords, pooling, defaultCodebooks };
  const wanted = {
    ...model.config,
    name: name ?? model.config.name,
    splitLayer,
    quantizer: {
      ...quantizer,
      ...(vectors === undefined ? {} : { vectors }),
      ...(groups === undefined ? {} : { groups }),
      ...(pooledBy === undefined ? {} : { pooledBy }),
    },
  };
  const plain = configOf(wanted);
  const state = new Map([...(await model.tensors('device')), ...(await model.tensors('cloud'))]);
  const kept = [...state].filter(([tensor]) => roleOf(tensor, plain) !== null);
  const device = new Map(kept.filter(([tensor]) => roleOf(tensor, plain) === 'device'));
  const network = await deviceNetworkFrom(plain, new Parameters(device));
  const layout = new VectorLayout(plain);
  if (options.metric === 'reader' && pooledBy === 'stacking') {
    throw new UsageError(
      'fit: the metric of the reader is known for averaged steps only: leave stacking or the metric out',
    );
  }
  const maps = options.metric === 'reader' ? readerMetric(plain.network, state, layout) : null;
  const config =
    maps === null ? plain : { ...plain, quantizer: { ...plain.quantizer, projection: layout.width } };
  return new CodecFitter(
    config,
    new Map(kept.map(([tensor, x]) => [tensor, dataOf(x)])),
    network,
    options,
    maps,
  );
}
