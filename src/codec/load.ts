/** Loads codec models with both halves, each when it is first asked for. */
import type { CloudDecoder } from './cloud-decoder.js';
import type { CodecConfig } from './config.js';
import type { DeviceEncoder } from './device-encoder.js';
import { cloudDecoderOf, suffixOf } from './load-cloud.js';
import { deviceEncoderOf, deviceNetworkOf } from './load-device.js';
import { type Part, rolesOf, splitCodecModel } from './model-file.js';
import { type ModelSource, type OpenModel, openModel } from './open-model.js';
import { UncutRecognizer } from './uncut.js';

/** An open codec model. */
export class CodecModel {
  constructor(private readonly model: OpenModel) {}

  get config(): CodecConfig {
    return this.model.config;
  }

  /** What streams of this model carry: the same for the whole model and for both of its parts. */
  get fingerprint(): number {
    return this.model.header.fingerprint;
  }

  /** Whether this file has both halves, or one. */
  get part(): Part {
    return this.model.header.part;
  }

  /** Samples to .acom bytes. Throws ModelError where this file has no device half. */
  deviceEncoder(): Promise<DeviceEncoder> {
    return deviceEncoderOf(this.model);
  }

  /** .acom bytes to words. Throws ModelError where this file has no cloud half. */
  cloudDecoder(): Promise<CloudDecoder> {
    return cloudDecoderOf(this.model);
  }

  /** Samples to words, with nothing sent between: the unsplit network, for comparison. */
  async uncutRecognizer(): Promise<UncutRecognizer> {
    return new UncutRecognizer(this.config, await deviceNetworkOf(this.model), await suffixOf(this.model));
  }

  /** Device and cloud files of a whole model. */
  async split(): Promise<{ readonly device: Uint8Array; readonly cloud: Uint8Array }> {
    const parts = await Promise.all(rolesOf(this.part).map((role) => this.model.tensors(role)));
    return splitCodecModel(this.model.header, new Map(parts.flatMap((part) => [...part])));
  }
}

/**
 * Opens a codec model. Throws SourceError where it can't be read, FormatError where it is no safetensors file,
 * ModelError where it is no codec model.
 */
export async function loadCodecModel(source: ModelSource): Promise<CodecModel> {
  return new CodecModel(await openModel(source));
}
