/**
 * A codec model from what training made: network, codebooks and statistics of features go into a file as they are, and how
 * codewords are coded is learned from what the file's own encoder sends for recordings. The first k codebooks of the file are
 * its rate points.
 */
import type { FeatureStatistics } from '../audio/index.js';
import type { TensorData } from '../checkpoints/index.js';
import {
  CODEBOOKS,
  type CodecConfig,
  type DeviceEncoder,
  dataOf,
  FEATURE_DEVIATION,
  FEATURE_MEAN,
  isEntropyTensor,
  loadCodecModel,
  openModel,
  roleOf,
  writeModel,
} from '../codec/index.js';
import { flat, ModelError, type Tensor, UsageError } from '../tensor/index.js';
import { SentCodewords } from './sent-codewords.js';

export interface TrainedCodec {
  /** All that the file says of itself: labels, front end, network, cut, quantiser, licence, training data. */
  readonly config: CodecConfig;
  /**
   * Numbers by the names of model files: of the network, its running statistics, `quantizer.codebooks`. Others, which only
   * training needs, are left out of the file.
   */
  readonly tensors: Iterable<readonly [name: string, tensor: Tensor]>;
  /** By which features were shifted and scaled in training; null where the configuration's normalization is none. */
  readonly statistics: FeatureStatistics | null;
}

/** Takes recordings, then gives the codec model. */
export class CodecExporter {
  private readonly sent: SentCodewords;

  constructor(
    private readonly config: CodecConfig,
    private readonly tensors: ReadonlyMap<string, TensorData>,
    private readonly encoder: DeviceEncoder,
  ) {
    this.sent = new SentCodewords(config.quantizer);
  }

  /** Takes the codewords of a whole recording; of training, because how they are coded is part of what is learned. */
  count(samples: Float32Array, sampleRate: number): void {
    const { codebooks } = this.config.quantizer;
    this.sent.add(this.encoder.quantize(samples, sampleRate, { codebooks }));
  }

  /** Vectors that were counted. */
  get vectors(): number {
    return this.sent.vectors;
  }

  /** The codec model's file. Throws UsageError where nothing was counted. */
  finish(): Uint8Array {
    if (this.vectors === 0) {
      throw new UsageError('export: no vectors were counted: give count() the recordings of training first');
    }
    const tables = this.sent.tables(this.tensors.get(CODEBOOKS)!);
    return writeModel(this.config, new Map([...this.tensors, ...tables]));
  }
}

/** A tensor as a file holds it. Throws ModelError where training broke down and left no numbers. */
function checked(name: string, tensor: Tensor): TensorData {
  const numbers = flat(tensor);
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return dataOf(tensor);
  throw new ModelError(
    `export: ${name} holds ${numbers[bad]}: training went wrong; go back to a checkpoint from before`,
  );
}

/**
 * Begins the file of a trained codec. Throws ModelError where the configuration makes no sense, or where tensors are
 * missing, misshapen, or not finite.
 */
export async function exportCodec({ config, tensors, statistics }: TrainedCodec): Promise<CodecExporter> {
  const kept = new Map<string, TensorData>();
  for (const [name, tensor] of tensors) {
    if (roleOf(name, config) !== null) kept.set(name, checked(name, tensor));
  }
  if (statistics !== null) {
    kept.set(FEATURE_MEAN, checked(FEATURE_MEAN, statistics.mean));
    kept.set(FEATURE_DEVIATION, checked(FEATURE_DEVIATION, statistics.deviation));
  }
  return exporterOf(config, kept);
}

/** Begins the file of a codec model anew, whose codewords are to be coded by what recordings teach: all else stays as it is. */
export async function recodeModel(bytes: Uint8Array): Promise<CodecExporter> {
  const file = await openModel(bytes);
  const kept = new Map<string, TensorData>();
  for (const role of ['shared', 'device', 'cloud'] as const) {
    for (const [name, tensor] of await file.tensors(role)) {
      if (!isEntropyTensor(name)) kept.set(name, dataOf(tensor));
    }
  }
  return exporterOf(file.codec, kept);
}

async function exporterOf(
  config: CodecConfig,
  tensors: ReadonlyMap<string, TensorData>,
): Promise<CodecExporter> {
  // The encoder that counts is that of the file; what codewords cost does not change what it chooses.
  const untaught = new SentCodewords(config.quantizer).frequencies();
  const model = await loadCodecModel(writeModel(config, new Map([...tensors, ...untaught])));
  const encoder = await model.deviceEncoder();
  // What the cloud lacks is found here rather than by its user.
  await (config.task === 'recognition' ? model.cloudDecoder() : model.cloudClassifier());
  return new CodecExporter(config, tensors, encoder);
}
