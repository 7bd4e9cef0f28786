/** Loads models with both halves, each when it is first asked for. */
import { ModelError, UsageError } from '../tensor/index.js';
import type { CloudClassifier } from './cloud-classifier.js';
import type { CloudDecoder } from './cloud-decoder.js';
import type { CodecConfig, NetworkModelConfig } from './config.js';
import type { DeviceEncoder } from './device-encoder.js';
import { cloudClassifierOf } from './load-classifier.js';
import { cloudDecoderOf } from './load-cloud.js';
import { deviceEncoderOf, deviceNetworkOf } from './load-device.js';
import { loadCloudHalf } from './load-suffix.js';
import { type Part, rolesOf, splitCodecModel } from './model-file.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';
import { UncutRecognizer } from './uncut.js';
import { UncutClassifier } from './uncut-classifier.js';

/** An open model whose network is whole: of a codec, or imported and without codebooks yet. */
export class NetworkModel {
  constructor(protected readonly model: OpenModel) {}

  get config(): NetworkModelConfig {
    return this.model.config;
  }

  /** CRC-32 over configuration and weights; of a codec model the same for the whole and for both of its parts. */
  get fingerprint(): number {
    return this.model.header.fingerprint;
  }

  /** Samples to words, with nothing sent between. Throws ModelError where the model is no recogniser. */
  async uncutRecognizer(): Promise<UncutRecognizer> {
    const { suffix } = await loadCloudHalf(this.model, 'recognition');
    return new UncutRecognizer(this.config, await deviceNetworkOf(this.model), suffix);
  }

  /** Samples to a label, with nothing sent between. Throws ModelError where the model is no classifier. */
  async uncutClassifier(): Promise<UncutClassifier> {
    const { suffix } = await loadCloudHalf(this.model, 'classification');
    return new UncutClassifier(this.config, await deviceNetworkOf(this.model), suffix);
  }
}

/** An open codec model. */
export class CodecModel extends NetworkModel {
  override get config(): CodecConfig {
    return this.model.codec;
  }

  /** Whether this file has both halves, or one. */
  get part(): Part {
    return this.model.header.part;
  }

  /** Samples to .acom bytes. Throws ModelError where this file has no device half. */
  deviceEncoder(): Promise<DeviceEncoder> {
    return deviceEncoderOf(this.model);
  }

  /** .acom bytes to words. Throws ModelError where this file has no cloud half, or is no recogniser. */
  cloudDecoder(): Promise<CloudDecoder> {
    return cloudDecoderOf(this.model);
  }

  /** .acom bytes to a label. Throws ModelError where this file has no cloud half, or is no classifier. */
  cloudClassifier(): Promise<CloudClassifier> {
    return cloudClassifierOf(this.model);
  }

  /** Device and cloud files of a whole model. */
  async split(): Promise<{ readonly device: Uint8Array; readonly cloud: Uint8Array }> {
    const parts = await Promise.all(rolesOf(this.part).map((role) => this.model.tensors(role)));
    return splitCodecModel(this.model.header, new Map(parts.flatMap((part) => [...part])));
  }
}

/** Where the layers of a model run; on a GPU: the loadCodecModel of acom/gpu. */
export interface CpuOptions {
  readonly backend?: 'cpu';
}

/**
 * Opens a codec model. Throws SourceError where it can't be read, FormatError where it is no safetensors file,
 * ModelError where it is no codec model.
 */
export async function loadCodecModel(source: ModelSource, options: CpuOptions = {}): Promise<CodecModel> {
  const backend: string = options.backend ?? 'cpu';
  if (backend !== 'cpu') {
    throw new UsageError(
      `backend is ${backend}, and this entry has cpu alone: import { loadCodecModel } from 'acom/gpu'`,
    );
  }
  const model = await openModel(source);
  void model.codec; // throws where there are no codebooks
  return new CodecModel(model);
}

/** Opens the network of a codec model, or one that has no codebooks yet; throws as `loadCodecModel` does. */
export async function loadNetworkModel(source: ModelSource): Promise<NetworkModel> {
  const model = await openModel(source);
  if (model.header.part !== 'whole') {
    throw new ModelError(
      `codec model ${model.config.name}: this file has only one half; load the whole model`,
    );
  }
  return new NetworkModel(model);
}
