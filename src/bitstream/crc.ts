/** Cyclic redundancy checks, most widespread variants, bit for bit the same everywhere. */

function table(step: (entry: number) => number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let entry = byte;
    for (let bit = 0; bit < 8; bit++) entry = step(entry);
    return entry;
  });
}

/** CRC-32 of zlib and PNG: reflected polynomial 0xEDB88320. */
const TABLE_32 = table((entry) => (entry & 1 ? (entry >>> 1) ^ 0xedb88320 : entry >>> 1));

/** CRC-16 of IBM's Bisync family: reflected polynomial 0xA001. */
const TABLE_16 = table((entry) => (entry & 1 ? (entry >>> 1) ^ 0xa001 : entry >>> 1));

/** Continues `crc` (0 to begin with) over `bytes`. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let state = ~crc >>> 0;
  for (let i = 0; i < bytes.length; i++) state = (state >>> 8) ^ TABLE_32[(state ^ bytes[i]!) & 255]!;
  return ~state >>> 0;
}

/** Continues `crc` over `bytes`; starts from all ones, so that leading zeros count. */
export function crc16(bytes: Uint8Array, crc = 0xffff): number {
  let state = crc;
  for (let i = 0; i < bytes.length; i++) state = (state >>> 8) ^ TABLE_16[(state ^ bytes[i]!) & 255]!;
  return state;
}
