/** Open models: the header first, then only the tensors of the part that is asked for. */
import { byteSource } from '../checkpoints/byte-source.js';
import { openSafetensors, type SafetensorsFile } from '../checkpoints/safetensors.js';
import { FrequencyTable } from '../entropy/frequency-table.js';
import { Parameters, type StateDict } from '../nn/parameters.js';
import { type Bytes, ModelError, type NdArray, type Tensor } from '../tensor/index.js';
import { Codings } from './codings.js';
import { type CodecConfig, isCodec, type NetworkModelConfig } from './config.js';
import { contextTablesOf } from './entropy-tensors.js';
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
import { VectorLayout } from './vector-layout.js';

/** Where a model comes from: its bytes, a path (Node), or a URL, read by byte range where that works. */
export type ModelSource = Bytes | string | URL;

/** What both halves of a codec model have. */
export interface SharedPart {
  /** [stages · groups, codewords, width / groups] */
  readonly codebooks: Tensor;
  readonly coder: StreamCoder;
}

/** A model's file. What is made of its tensors is made once; the tensors themselves are not kept. */
export class OpenModel {
  private readonly made = new Map<string, Promise<unknown>>();

  constructor(
    readonly header: ModelHeader,
    private readonly file: SafetensorsFile,
  ) {}

  get config(): NetworkModelConfig {
    return this.header.config;
  }

  /** The configuration of a codec. Throws ModelError where this is a network without codebooks. */
  get codec(): CodecConfig {
    const { config } = this.header;
    if (isCodec(config)) return config;
    throw new ModelError(
      `${config.name}: this is a network without codebooks, which can't send anything yet; fit some with: acom model fit`,
    );
  }

  /** What `make` gave when it was first called for `name`. */
  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const known = this.made.get(name) as Promise<T> | undefined;
    if (known) return known;
    const making = make();
    this.made.set(name, making);
    // A failure is reported to whoever asked, and the next one may try again.
    making.catch(() => this.made.delete(name));
    return making;
  }

  /** All tensors of one role, checked against their digest. Throws ModelError where this file has them not. */
  async tensors(role: Role): Promise<StateDict> {
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

  shared(): Promise<SharedPart> {
    return this.once('shared', () => this.makeShared());
  }

  private async makeShared(): Promise<SharedPart> {
    const config = this.codec;
    const tensors = await this.tensors('shared');
    const { codebooks, codewords, groups = 1, projection } = config.quantizer;
    const stages = codebooks * groups;
    const parameters = new Parameters(tensors);
    const books = parameters.get(CODEBOOKS, [
      stages,
      codewords,
      (projection ?? new VectorLayout(config).width) / groups,
    ]);
    parameters.requireComplete(`codec model ${config.name}, quantizer`);
    const frequencies = tensors.get(FREQUENCIES);
    if (!(frequencies?.data instanceof Int32Array) || frequencies.size !== stages * (codewords + 1)) {
      throw new ModelError(`codec model: ${FREQUENCIES} must be int32 [${stages}, ${codewords + 1}]`);
    }
    const { data, offset } = frequencies as NdArray<Int32Array>;
    const tables = Array.from({ length: stages }, (_, stage) => {
      const from = offset + stage * (codewords + 1);
      return new FrequencyTable(data.slice(from, from + codewords + 1));
    });
    const codings = new Codings(tables, contextTablesOf(tensors, stages, codewords));
    const coder = new StreamCoder(config, this.header.fingerprint, codings);
    return { codebooks: books, coder };
  }
}

/**
 * Opens a model. Throws SourceError where it can't be read, FormatError where it is no safetensors file,
 * ModelError where it is no model of ours.
 */
export async function openModel(source: ModelSource): Promise<OpenModel> {
  const file = await openSafetensors(await byteSource(source));
  return new OpenModel(parseModelHeader(file), file);
}
