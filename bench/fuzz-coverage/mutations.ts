/** Damage that knows the format: fields of the header, packets, and checksums that are right again afterwards. */
import { Checksums, checksumBytes, withNumber } from '../../src/bitstream/checksums.js';
import {
  ByteReader,
  CODINGS,
  MOST_CODEBOOKS,
  MOST_SAMPLES,
  parseHeader,
  type StreamHeader,
  uintBytes,
} from '../../src/bitstream/header.js';
import { type Packet, writeStream } from '../../src/bitstream/stream.js';
import { AcomError } from '../../src/tensor/index.js';
import { mutate } from '../../test/support/fuzz.js';

type Random = () => number;

/** Longer inputs only take longer. */
export const MOST_BYTES = 1 << 14;

interface Place {
  readonly start: number;
  /** Of the run. */
  readonly from: number;
  /** Of the run, and where the checksum begins. */
  readonly end: number;
  readonly stages: number;
}

/** Packets by the lengths that they say, right or not, as far as there are any. */
function placesOf(bytes: Uint8Array, header: StreamHeader, size: number): Place[] {
  const { vectorsPerPacket, varying, codebooks } = header;
  if (vectorsPerPacket === 0) {
    const end = bytes.length - (bytes.length - size - 2 <= 255 ? 2 : 4);
    return end < size ? [] : [{ start: size, from: size, end, stages: codebooks }];
  }
  const places: Place[] = [];
  const reader = new ByteReader(bytes);
  for (let start = size; start < bytes.length; ) {
    reader.position = start;
    const said = reader.tryVarint();
    if (said === null) break;
    const from = reader.position;
    const end = from + (varying ? Math.floor(said / (codebooks + 1)) : said);
    const next = end + checksumBytes(end - start);
    if (next > bytes.length) break;
    places.push({ start, from, end, stages: varying ? said % (codebooks + 1) : codebooks });
    start = next;
  }
  return places;
}

function headerOf(bytes: Uint8Array): ReturnType<typeof parseHeader> | null {
  try {
    return parseHeader(bytes);
  } catch (error) {
    if (error instanceof AcomError) return null;
    throw error;
  }
}

/** The same bytes with checksums that are right, so that what is damaged behind them is looked at. */
export function sealed(bytes: Uint8Array): Uint8Array {
  const parsed = headerOf(bytes);
  if (parsed === null) return bytes;
  const fixed = bytes.slice();
  const checksums = new Checksums(fixed, fixed.subarray(0, parsed.size));
  placesOf(fixed, parsed.header, parsed.size).forEach(({ start, end }, number) => {
    const size = checksumBytes(end - start);
    if (end + size > fixed.length) return;
    fixed.set(uintBytes(withNumber(checksums.crc(start, end), end - start, number), size), end);
  });
  return fixed;
}

/** Where the forms of a sample count end; long recordings are rare, since their codewords take long to decode. */
function sampleCount(random: Random, known: number): number {
  const edges = [0, 1, 2 ** 15 - 1, 2 ** 15, known - 1, known + 1, 2 * known];
  const large = [2 ** 22 - 1, 2 ** 22, 2 ** 32, MOST_SAMPLES, Math.floor(random() * 2 ** 31)];
  const from = random() < 0.01 ? large : edges;
  return Math.max(0, from[Math.floor(random() * from.length)]!);
}

function otherHeader(header: StreamHeader, random: Random): StreamHeader {
  const below = (n: number) => Math.floor(random() * n);
  const several = header.vectorsPerPacket > 0;
  switch (below(6)) {
    case 0:
      return { ...header, coding: CODINGS[below(CODINGS.length)]! };
    case 1:
      return { ...header, codebooks: 1 + below(below(2) === 0 ? 4 : MOST_CODEBOOKS) };
    case 2:
      return { ...header, samples: sampleCount(random, header.samples) };
    case 3: {
      const vectorsPerPacket = [0, 1, 2, 3, 13, header.vectorsPerPacket + 1, 2 ** 28 - 1][below(7)]!;
      return { ...header, vectorsPerPacket, varying: header.varying && vectorsPerPacket > 0 };
    }
    case 4:
      return { ...header, varying: several && !header.varying };
    default:
      return { ...header, fingerprint: (header.fingerprint ^ (1 << below(32))) >>> 0 };
  }
}

/** A run of other bytes: damaged, cut, filled with zeros or noise. */
function otherRun(run: Uint8Array, random: Random): Uint8Array {
  const below = (n: number) => Math.floor(random() * n);
  switch (below(4)) {
    case 0:
      return run.slice(0, below(run.length + 1));
    case 1:
      return Uint8Array.from([...run, ...Array.from({ length: 1 + below(12) }, () => below(2) * below(256))]);
    case 2:
      return Uint8Array.from({ length: below(40) }, () => below(256));
    default:
      return mutate(run, random);
  }
}

function otherPackets(packets: readonly Packet[], stages: number, random: Random): Packet[] {
  const below = (n: number) => Math.floor(random() * n);
  const changed = [...packets];
  const at = below(changed.length);
  const packet = changed[at] ?? { stages, run: new Uint8Array() };
  switch (below(6)) {
    case 0:
      changed.splice(at, 1 + below(3));
      break;
    case 1:
      changed.splice(at, 0, ...changed.slice(at, at + 1 + below(9)));
      break;
    case 2: {
      const other = below(changed.length);
      [changed[at], changed[other]] = [changed[other] ?? packet, packet];
      break;
    }
    case 3: {
      const own = below(stages + 1);
      changed[at] = { stages: own, run: own === 0 ? new Uint8Array() : packet.run };
      break;
    }
    default:
      changed[at] = { ...packet, run: otherRun(packet.run, random) };
  }
  return changed;
}

/** Takes a stream apart, changes a field or a packet, and writes it as an encoder would; null where it can't be. */
function rebuilt(bytes: Uint8Array, random: Random): Uint8Array | null {
  const parsed = headerOf(bytes);
  if (parsed === null) return null;
  let { header } = parsed;
  let packets: Packet[] = placesOf(bytes, header, parsed.size).map(({ from, end, stages }) => ({
    stages,
    run: bytes.subarray(from, end),
  }));
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    if (random() < 0.4) header = otherHeader(header, random);
    else packets = otherPackets(packets, header.codebooks, random);
  }
  if (!header.varying) packets = packets.map(({ run }) => ({ stages: header.codebooks, run }));
  if (header.vectorsPerPacket === 0) packets = packets.slice(0, 1);
  try {
    return writeStream(header, packets);
  } catch (error) {
    if (error instanceof AcomError) return null;
    throw error;
  }
}

/** The beginning of one input and the end of another. */
function spliced(a: Uint8Array, b: Uint8Array, random: Random): Uint8Array {
  const head = a.subarray(0, Math.floor(random() * (a.length + 1)));
  const tail = b.subarray(Math.floor(random() * (b.length + 1)));
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

/** Damage of every kind, half of it sealed. */
export function damaged(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const kind = random();
  let made: Uint8Array;
  if (kind < 0.2) made = mutate(bytes, random);
  else if (kind < 0.45) made = sealed(mutate(bytes, random));
  else if (kind < 0.6) made = sealed(spliced(bytes, other, random));
  else made = rebuilt(bytes, random) ?? mutate(bytes, random);
  // Some damage to what was whole: packets are lost and searched for.
  if (kind >= 0.9) made = mutate(made, random);
  return made.length > MOST_BYTES ? made.slice(0, MOST_BYTES) : made;
}
