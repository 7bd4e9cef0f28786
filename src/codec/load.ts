/** Loads codec models: the header first, then only the tensors of the half that is asked for. */
import { LogMel } from '../audio/index.js';
import { byteSource, openSafetensors, type SafetensorsFile } from '../checkpoints/index.js';
import { FrequencyTable } from '../entropy/index.js';
import { ConformerPrefix, ConformerSuffix, Parameters, type StateDict } from '../nn/index.js';
import { ResidualQuantizer } from '../quantizer/residual-quantizer.js';
import { type Bytes, ModelError, type NdArray } from '../tensor/index.js';
import { CloudDecoder } from './cloud-decoder.js';
import type { CodecConfig } from './config.js';
import { DeviceEncoder } from './device-encoder.js';
import type { DeviceNetwork } from './frame-stream.js';
import {
  CODEBOOKS,
  FEATURE_DEVIATION,
  FEATURE_MEAN,
  FREQUENCIES,
  type ModelHeader,
  type Part,
  parseModelHeader,
  type Role,
  requireDigest,
  roleOf,
  rolesOf,
  splitCodecModel,
} from './model-file.js';
import { StreamCoder } from './stream-coder.js';
import { UncutRecognizer } from './uncut.js';

/** Where a codec model comes from: its bytes, a path (Node), or a URL, read by byte range where that works. */
export type ModelSource = Bytes | string | URL;

/** An open codec model. Its halves load their tensors when they are first asked for. */
export class CodecModel {
  private readonly loaded = new Map<Role, Promise<StateDict>>();

  constructor(
    private readonly header: ModelHeader,
    private readonly file: SafetensorsFile,
  ) {}

  get config(): CodecConfig {
    return this.header.config;
  }

  /** What streams of this model carry: the same for the whole model and for both of its parts. */
  get fingerprint(): number {
    return this.header.fingerprint;
  }

  /** Whether this file has both halves, or one. */
  get part(): Part {
    return this.header.part;
  }

  /** Samples to .acom bytes. Throws ModelError where this file has no device half. */
  async deviceEncoder(): Promise<DeviceEncoder> {
    const { quantizer, coder } = await this.shared();
    return new DeviceEncoder(coder, await this.deviceNetwork(), quantizer);
  }

  /** .acom bytes to words. Throws ModelError where this file has no cloud half. */
  async cloudDecoder(): Promise<CloudDecoder> {
    const { quantizer, coder } = await this.shared();
    return new CloudDecoder(coder, await this.suffix(), quantizer);
  }

  /** Samples to words, with nothing sent between: the unsplit network, for comparison. */
  async uncutRecognizer(): Promise<UncutRecognizer> {
    return new UncutRecognizer(this.config, await this.deviceNetwork(), await this.suffix());
  }

  /** Device and cloud files of a whole model. */
  async split(): Promise<{ readonly device: Uint8Array; readonly cloud: Uint8Array }> {
    const roles = rolesOf(this.part);
    const parts = await Promise.all(roles.map((role) => this.tensors(role)));
    return splitCodecModel(this.header, new Map(parts.flatMap((part) => [...part])));
  }

  private async deviceNetwork(): Promise<DeviceNetwork> {
    const parameters = new Parameters(await this.tensors('device'));
    const { frontEnd, network, splitLayer } = this.config;
    const mean = parameters.get(FEATURE_MEAN, [frontEnd.mels]);
    const deviation = parameters.get(FEATURE_DEVIATION, [frontEnd.mels]);
    const prefix = new ConformerPrefix(parameters, network, splitLayer);
    parameters.requireComplete(`codec model ${this.config.name}, device half`);
    return { logMel: new LogMel(frontEnd), mean, deviation, prefix };
  }

  private async suffix(): Promise<ConformerSuffix> {
    const parameters = new Parameters(await this.tensors('cloud'));
    const suffix = new ConformerSuffix(parameters, this.config.network, this.config.splitLayer);
    parameters.requireComplete(`codec model ${this.config.name}, cloud half`);
    return suffix;
  }

  private async shared(): Promise<{ quantizer: ResidualQuantizer; coder: StreamCoder }> {
    const tensors = await this.tensors('shared');
    const { codebooks, codewords } = this.config.quantizer;
    const parameters = new Parameters(tensors);
    const books = parameters.get(CODEBOOKS, [codebooks, codewords, this.config.network.encoder.width]);
    parameters.requireComplete(`codec model ${this.config.name}, quantizer`);
    const frequencies = tensors.get(FREQUENCIES);
    if (!(frequencies?.data instanceof Int32Array) || frequencies.size !== codebooks * (codewords + 1)) {
      throw new ModelError(`codec model: ${FREQUENCIES} must be int32 [${codebooks}, ${codewords + 1}]`);
    }
    const { data, offset } = frequencies as NdArray<Int32Array>;
    const tables = Array.from({ length: codebooks }, (_, stage) => {
      const from = offset + stage * (codewords + 1);
      return new FrequencyTable(data.slice(from, from + codewords + 1));
    });
    const coder = new StreamCoder(this.config, this.fingerprint, tables);
    return { quantizer: new ResidualQuantizer(books), coder };
  }

  /** All tensors of one role, read once and checked against their digest. */
  private tensors(role: Role): Promise<StateDict> {
    const known = this.loaded.get(role);
    if (known) return known;
    const reading = this.readTensors(role);
    this.loaded.set(role, reading);
    // A failure is reported to whoever asked, and the next one may try again.
    reading.catch(() => this.loaded.delete(role));
    return reading;
  }

  private async readTensors(role: Role): Promise<StateDict> {
    if (!rolesOf(this.part).includes(role)) {
      throw new ModelError(
        `codec model ${this.config.name}: this file has only the ${this.part} half; load the whole model or its ` +
          `${role} file`,
      );
    }
    const names = [...this.file.tensors.keys()].filter((name) => roleOf(name, this.config) === role);
    const tensors = await this.file.readAll(names);
    requireDigest(this.header, role, tensors);
    return tensors;
  }
}

/**
 * Opens a codec model. Throws SourceError where it can't be read, FormatError where it is no safetensors file,
 * ModelError where it is no codec model.
 */
export async function loadCodecModel(source: ModelSource): Promise<CodecModel> {
  const file = await openSafetensors(await byteSource(source));
  return new CodecModel(parseModelHeader(file), file);
}
