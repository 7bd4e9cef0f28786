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
  FREQUENCIES,
  type ModelSource,
  openModel,
  parseConfig,
  type QuantizerConfig,
  roleOf,
  VectorLayout,
  writeModel,
} from '../codec/index.js';
import { frequenciesFromCounts } from '../entropy/index.js';
import { Parameters } from '../nn/index.js';
import { linear } from '../ops/index.js';
import { fitQuantizer, GroupedQuantizer } from '../quantizer/index.js';
import { createRandom, type Tensor, UsageError, view, zeros } from '../tensor/index.js';
import { type ReaderMaps, readerMetric } from './reader-metric.js';

export interface FitCodecOptions
  extends Pick<QuantizerConfig, 'codebooks' | 'codewords' | 'vectors' | 'groups'> {
  /** Layers that run on the device. */
  readonly splitLayer: number;
  /** Consecutive time steps that are averaged; default 1. */
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
  /** Called after each round: the stage, the round, the mean squared error. */
  readonly onRound?: (stage: number, round: number, distortion: number) => void;
}

/** Numbers of all vectors that are kept; of more, a random part is (256 MB). */
const MOST_NUMBERS = 1 << 26;

/** Keeps vectors, and of more than fit a sample in which each has the same chance (Vitter 1985, algorithm R). */
class Reservoir {
  private data: Float32Array;
  private kept = 0;
  private seen = 0;
  private readonly most: number;
  private readonly random: () => number;

  constructor(
    private readonly width: number,
    seed: number,
  ) {
    this.most = Math.max(1, Math.floor(MOST_NUMBERS / width));
    this.random = createRandom(seed);
    this.data = new Float32Array(1024 * width);
  }

  add(vectors: Tensor): void {
    const { width } = this;
    for (let n = 0; n < vectors.shape[0]!; n++) {
      const from = vectors.offset + n * vectors.stride[0]!;
      const at = this.kept < this.most ? this.kept : Math.floor(this.random() * (this.seen + 1));
      this.seen++;
      if (at >= this.most) continue;
      if (at === this.kept) this.kept++;
      if (this.kept * width > this.data.length) this.grow();
      this.data.set(vectors.data.subarray(from, from + width), at * width);
    }
  }

  get size(): number {
    return this.kept;
  }

  vectors(): Tensor {
    return view(this.data.slice(0, this.kept * this.width), [this.kept, this.width]);
  }

  private grow(): void {
    const larger = new Float32Array(Math.min(2 * this.data.length, this.most * this.width));
    larger.set(this.data);
    this.data = larger;
  }
}

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
    this.reservoir = new Reservoir(this.layout.width, options.seed ?? 1);
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
    const groupWidth = width / groups;
    const books = zeros([codebooks * groups, codewords, groupWidth]);
    for (let g = 0; g < groups; g++) {
      const fitted = fitQuantizer(vectors.lo(0, g * groupWidth).hi(count, groupWidth), {
        stages: codebooks,
        codewords,
        seed: (this.options.seed ?? 1) + g,
        ...(this.options.rounds === undefined ? {} : { rounds: this.options.rounds }),
        onRound: (stage, round, distortion) =>
          this.options.onRound?.(g * codebooks + stage, round, distortion),
      }).codebooks;
      const size = codewords * groupWidth;
      for (let s = 0; s < codebooks; s++) {
        books.data.set(fitted.data.subarray(s * size, (s + 1) * size), (s * groups + g) * size);
      }
    }
    const frequencies = this.countFrequencies(new GroupedQuantizer(books, groups), vectors);
    const shared = new Map([
      [CODEBOOKS, dataOf(books)],
      [FREQUENCIES, frequencies],
    ]);
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

  private countFrequencies(quantizer: GroupedQuantizer, vectors: Tensor) {
    const stages = quantizer.codebooks.shape[0]!;
    const { codewords } = this.config.quantizer;
    const { data: indices } = quantizer.encode(vectors);
    const data = new Int32Array(stages * (codewords + 1));
    for (let s = 0; s < stages; s++) {
      const counts = new Int32Array(codewords);
      for (let i = s; i < indices.length; i += stages) counts[indices[i]!]!++;
      data.set(frequenciesFromCounts(counts), s * (codewords + 1));
    }
    return { data, shape: [stages, codewords + 1] };
  }
}

/**
 * Begins a codec on the network of a model, with codebooks or without. Throws ModelError where the network can't be cut
 * or quantised so.
 */
export async function fitCodec(source: ModelSource, options: FitCodecOptions): Promise<CodecFitter> {
  const model = await openModel(source);
  const { name, splitLayer, codebooks, codewords, pooling = 1, vectors, groups } = options;
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
    },
  };
  const plain = parseConfig(JSON.stringify(wanted)) as CodecConfig;
  const state = new Map([...(await model.tensors('device')), ...(await model.tensors('cloud'))]);
  const kept = [...state].filter(([tensor]) => roleOf(tensor, plain) !== null);
  const device = new Map(kept.filter(([tensor]) => roleOf(tensor, plain) === 'device'));
  const network = await deviceNetworkFrom(plain, new Parameters(device));
  const layout = new VectorLayout(plain);
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
