/** Open codec models: the header first, then only the tensors of the part that is asked for. */
import { byteSource, openSafetensors, type SafetensorsFile } from '../checkpoints/index.js';
import { FrequencyTable } from '../entropy/index.js';
import { Parameters, type StateDict } from '../nn/index.js';
import { ResidualQuantizer } from '../quantizer/residual-quantizer.js';
import { type Bytes, ModelError, type NdArray } from '../tensor/index.js';
import type { CodecConfig } from './config.js';
import {
  CODEBOOKS,
  FREQUENCIES,
  type ModelHeader,
  parseModelHeader,
  type Role,
  requireDigest,
  roleOf,
  rolesOf,
} from './model-file.js';
import { StreamCoder } from './stream-coder.js';

/** Where a codec model comes from: its bytes, a path (Node), or a URL, read by byte range where that works. */
export type ModelSource = Bytes | string | URL;

/** What both halves have. */
export interface SharedPart {
  readonly quantizer: ResidualQuantizer;
  readonly coder: StreamCoder;
}

/** A codec model's file, of which each role's tensors are read once, when they are first asked for. */
export class OpenModel {
  private readonly loaded = new Map<Role, Promise<StateDict>>();

  constructor(
    readonly header: ModelHeader,
    private readonly file: SafetensorsFile,
  ) {}

  get config(): CodecConfig {
    return this.header.config;
  }

  /** All tensors of one role, checked against their digest. Throws ModelError where this file has them not. */
  tensors(role: Role): Promise<StateDict> {
    const known = this.loaded.get(role);
    if (known) return known;
    const reading = this.readTensors(role);
    this.loaded.set(role, reading);
    // A failure is reported to whoever asked, and the next one may try again.
    reading.catch(() => this.loaded.delete(role));
    return reading;
  }

  async shared(): Promise<SharedPart> {
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
    const coder = new StreamCoder(this.config, this.header.fingerprint, tables);
    return { quantizer: new ResidualQuantizer(books), coder };
  }

  private async readTensors(role: Role): Promise<StateDict> {
    const { part } = this.header;
    if (!rolesOf(part).includes(role)) {
      throw new ModelError(
        `codec model ${this.config.name}: this file has only the ${part} half; load the whole model or its ` +
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
export async function openModel(source: ModelSource): Promise<OpenModel> {
  const file = await openSafetensors(await byteSource(source));
  return new OpenModel(parseModelHeader(file), file);
}
