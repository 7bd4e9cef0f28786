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

/** Continues `crc` (0 to begin with) over `bytes`, or those from `from` to `to` - 1. */
export function crc32(bytes: Uint8Array, crc = 0, from = 0, to = bytes.length): number {
  let state = ~crc >>> 0;
  for (let i = from; i < to; i++) state = (state >>> 8) ^ TABLE_32[(state ^ bytes[i]!) & 255]!;
  return ~state >>> 0;
}

/** The same over the four bytes of `word`, most significant first. */
export function crc32Word(word: number, crc: number): number {
  let state = ~crc >>> 0;
  for (let shift = 24; shift >= 0; shift -= 8) {
    state = (state >>> 8) ^ TABLE_32[(state ^ (word >>> shift)) & 255]!;
  }
  return ~state >>> 0;
}

/** The table's entries differ in their upper bytes, so a step can be undone: which entry has which. */
const ENTRY_BY_TOP_32 = new Uint8Array(256);
TABLE_32.forEach((entry, index) => {
  ENTRY_BY_TOP_32[entry >>> 24] = index;
});

/** The one word for which crc32Word(word, before) is `after`. */
export function crc32WordBetween(before: number, after: number): number {
  let state = ~after >>> 0;
  for (let step = 0; step < 4; step++) {
    const index = ENTRY_BY_TOP_32[state >>> 24]!;
    state = (((state ^ TABLE_32[index]!) << 8) | index) >>> 0;
  }
  state ^= ~before;
  // A reflected CRC takes the lowest byte of its state first, which is the word's most significant.
  return (((state & 255) << 24) | ((state & 0xff00) << 8) | ((state >>> 8) & 0xff00) | (state >>> 24)) >>> 0;
}

/** Continues `crc` over bytes as `crc32` does; starts from all ones, so that leading zeros count. */
export function crc16(bytes: Uint8Array, crc = 0xffff, from = 0, to = bytes.length): number {
  let state = crc;
  for (let i = from; i < to; i++) state = (state >>> 8) ^ TABLE_16[(state ^ bytes[i]!) & 255]!;
  return state;
}

/** The same over the four bytes of `word`, most significant first. */
export function crc16Word(word: number, crc: number): number {
  let state = crc;
  for (let shift = 24; shift >= 0; shift -= 8) {
    state = (state >>> 8) ^ TABLE_16[(state ^ (word >>> shift)) & 255]!;
  }
  return state;
}
