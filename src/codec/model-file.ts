/**
 * Models as files: safetensors with the network and, in a codec model, codebooks and entropy tables; in its metadata
 *
 *   format   "acom codec model 1", or "acom network 1" where there are no codebooks
 *   config   everything needed to run it, as JSON (CodecConfig or NetworkModelConfig)
 *   part     whole, device or cloud: which tensors this file has
 *   digests  CRC-32 of the shared, the device's and the cloud's tensors, as JSON
 *
 * The fingerprint that streams carry is the CRC-32 of the digests: both halves of a split model have all three,
 * so both know the fingerprint of the whole, and each checks the tensors that it has.
 */
import { crc32 } from '../bitstream/crc.js';
import type { SafetensorsHeader } from '../checkpoints/safetensors.js';
import { type TensorData, writeSafetensors } from '../checkpoints/safetensors-writer.js';
import { kindOf } from '../nn/kinds.js';
import {
  contiguous,
  ModelError,
  type NdArray,
  sizeOf,
  type Tensor,
  type TypedArray,
} from '../tensor/index.js';
import { utf8Bytes } from '../tensor/utf8.js';
import { type CodecConfig, isCodec, type NetworkModelConfig, parseConfig } from './config.js';

const CODEC_FORMAT = 'acom codec model 1';
const NETWORK_FORMAT = 'acom network 1';

export const CODEBOOKS = 'quantizer.codebooks';
export const FREQUENCIES = 'entropy.frequencies';
/** Tables of contexts, each below it; all or none. */
export const CONTEXT = 'entropy.context';
/** Of the device and of the cloud: maps around the quantiser, each with `.weight` and `.bias`. */
export const ENCODE = 'quantizer.encode';
export const DECODE = 'quantizer.decode';
export const FEATURE_MEAN = 'normalizer.glob_mean';
export const FEATURE_DEVIATION = 'normalizer.glob_std';

/** Who needs a tensor. */
export type Role = 'shared' | 'device' | 'cloud';
export type Part = 'whole' | 'device' | 'cloud';
export type Digests = Readonly<Record<Role, string>>;

export interface ModelHeader {
  readonly config: NetworkModelConfig | CodecConfig;
  /** The configuration as it stands in the file: what the digest is made of. */
  readonly configText: string;
  readonly part: Part;
  readonly digests: Digests;
  readonly fingerprint: number;
}

/** Whether a tensor says how codewords are coded. */
export const isEntropyTensor = (name: string): boolean =>
  name === FREQUENCIES || name.startsWith(`${CONTEXT}.`);

/** Who needs the tensor `name`, or null for one that no half of this configuration has. */
export function roleOf(name: string, config: NetworkModelConfig): Role | null {
  if (isCodec(config) && (name === CODEBOOKS || isEntropyTensor(name))) return 'shared';
  if (isCodec(config) && config.quantizer.projection !== undefined) {
    if (name === `${ENCODE}.weight` || name === `${ENCODE}.bias`) return 'device';
    if (name === `${DECODE}.weight` || name === `${DECODE}.bias`) return 'cloud';
  }
  const stored = config.normalization !== 'none';
  if (stored && (name === FEATURE_MEAN || name === FEATURE_DEVIATION)) return 'device';
  const { network } = config;
  const kind = kindOf(network);
  return kind.halfOf(network, isCodec(config) ? config.splitLayer : kind.layers(network), name);
}

const has: Readonly<Record<Part, readonly Role[]>> = {
  whole: ['shared', 'device', 'cloud'],
  device: ['shared', 'device'],
  cloud: ['shared', 'cloud'],
};

export const rolesOf = (part: Part): readonly Role[] => has[part];

const bytesOf = ({ data }: { readonly data: TypedArray }): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A CRC-32, and so a fingerprint, as people and files write it: eight hexadecimal digits. */
export const crcText = (crc: number): string => crc.toString(16).padStart(8, '0');

/** CRC-32 over names, types, shapes and bytes of tensors in the order of their names. */
export function digestOf(tensors: ReadonlyMap<string, TensorData>, begin = ''): string {
  let crc = crc32(utf8Bytes(begin));
  for (const name of [...tensors.keys()].sort()) {
    const tensor = tensors.get(name)!;
    crc = crc32(utf8Bytes(`${name} ${tensor.data.constructor.name} [${tensor.shape.join(',')}]`), crc);
    crc = crc32(bytesOf(tensor), crc);
  }
  return crcText(crc);
}

const fingerprintOf = ({ shared, device, cloud }: Digests): number =>
  crc32(utf8Bytes(`${shared} ${device} ${cloud}`));

/** Tensors by who needs them. Throws ModelError for one that nobody does. */
function sorted(
  tensors: ReadonlyMap<string, TensorData>,
  config: NetworkModelConfig,
): Record<Role, Map<string, TensorData>> {
  const byRole = { shared: new Map(), device: new Map(), cloud: new Map() };
  for (const [name, tensor] of tensors) {
    const role = roleOf(name, config);
    if (role === null) throw new ModelError(`codec model: ${name} belongs to no part of this network`);
    byRole[role].set(name, tensor);
  }
  return byRole;
}

/** Order in a file: with shared in the middle, what either half reads is one stretch. */
const PLACE: Readonly<Record<Role, number>> = { device: 0, shared: 1, cloud: 2 };

function writePart(
  byRole: Readonly<Record<Role, ReadonlyMap<string, TensorData>>>,
  configText: string,
  digests: Digests,
  part: Part,
  format = CODEC_FORMAT,
): Uint8Array {
  const roles = rolesOf(part);
  const tensors = new Map(roles.flatMap((role) => [...byRole[role]]));
  const metadata = { format, config: configText, part, digests: JSON.stringify(digests) };
  const placeOf = (name: string) => PLACE[roles.find((role) => byRole[role].has(name))!];
  return writeSafetensors(tensors, metadata, placeOf);
}

/**
 * The whole model as one file: a codec model, or a network where the configuration has no quantiser. `tensors` must be
 * exactly those of the configuration's network and quantiser.
 */
export function writeModel(
  config: NetworkModelConfig | CodecConfig,
  tensors: ReadonlyMap<string, TensorData>,
): Uint8Array {
  const configText = JSON.stringify(config);
  const byRole = sorted(tensors, parseConfig(configText));
  const digests: Digests = {
    shared: digestOf(byRole.shared, configText),
    device: digestOf(byRole.device),
    cloud: digestOf(byRole.cloud),
  };
  return writePart(byRole, configText, digests, 'whole', isCodec(config) ? CODEC_FORMAT : NETWORK_FORMAT);
}

/** Whether the metadata of a safetensors file says that it is a model of ours. */
export const isModel = ({ metadata }: SafetensorsHeader): boolean =>
  [CODEC_FORMAT, NETWORK_FORMAT].includes(metadata.get('format') ?? '');

/** Reads and checks the metadata of a model. */
export function parseModelHeader({ metadata }: SafetensorsHeader): ModelHeader {
  const format = metadata.get('format');
  if (format !== CODEC_FORMAT && format !== NETWORK_FORMAT) {
    const known =
      metadata.has('acom') || format === 'pt' ? 'a bare network' : `format ${JSON.stringify(format)}`;
    throw new ModelError(
      `this is no codec model but ${known}, expected "${CODEC_FORMAT}"; make one with: acom model pack, or of a ` +
        'published checkpoint with: acom import',
    );
  }
  const configText = metadata.get('config') ?? '';
  const config = parseConfig(configText);
  if (isCodec(config) !== (format === CODEC_FORMAT)) {
    throw new ModelError(
      `codec model: the format says ${JSON.stringify(format)}, the configuration otherwise`,
    );
  }
  const part = metadata.get('part');
  if (part !== 'whole' && part !== 'device' && part !== 'cloud') {
    throw new ModelError(`codec model: part is ${JSON.stringify(part)}, expected whole, device or cloud`);
  }
  let digests: unknown;
  try {
    digests = JSON.parse(metadata.get('digests') ?? 'null');
  } catch {
    digests = null;
  }
  if (!isDigests(digests)) throw new ModelError('codec model: the digests are missing or damaged');
  return { config, configText, part, digests, fingerprint: fingerprintOf(digests) };
}

const isDigests = (value: unknown): value is Digests =>
  typeof value === 'object' &&
  value !== null &&
  rolesOf('whole').every((role) => /^[0-9a-f]{8}$/.test(String((value as Record<string, unknown>)[role])));

/** Throws ModelError where tensors are not those that the digest was made of. */
export function requireDigest(
  header: ModelHeader,
  role: Role,
  tensors: ReadonlyMap<string, NdArray<TypedArray>>,
): void {
  const data = new Map([...tensors].map(([name, x]) => [name, dataOf(x)]));
  const found = digestOf(data, role === 'shared' ? header.configText : '');
  if (found === header.digests[role]) return;
  throw new ModelError(
    `codec model ${header.config.name}: the ${role} tensors are damaged or changed (digest ${found}, ` +
      `expected ${header.digests[role]}); get the file again or pack it anew`,
  );
}

/** A tensor's elements row after row. */
export function dataOf(x: NdArray<TypedArray>): TensorData {
  if (x.data instanceof Float32Array) {
    const source = contiguous(x as Tensor);
    return { data: source.data.subarray(source.offset, source.offset + sizeOf(x.shape)), shape: x.shape };
  }
  return { data: x.data, shape: x.shape };
}

/** A device file and a cloud file from the tensors of a whole model: each half carries only its own. */
export function splitCodecModel(
  header: ModelHeader,
  tensors: ReadonlyMap<string, NdArray<TypedArray>>,
): { readonly device: Uint8Array; readonly cloud: Uint8Array } {
  if (header.part !== 'whole') {
    throw new ModelError(`codec model: this file is the ${header.part} part already; split the whole model`);
  }
  const byRole = sorted(new Map([...tensors].map(([name, x]) => [name, dataOf(x)])), header.config);
  return {
    device: writePart(byRole, header.configText, header.digests, 'device'),
    cloud: writePart(byRole, header.configText, header.digests, 'cloud'),
  };
}
