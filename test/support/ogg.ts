/** Writes Ogg files and mends the checksums of damaged ones. */

/** CRC-32 of the polynomial 0x04C11DB7, a bit at a time. */
function checksum(bytes: Uint8Array): number {
  let remainder = 0;
  for (const byte of bytes) {
    remainder ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder << 1) ^ (remainder < 0 ? 0x04c11db7 : 0);
  }
  return remainder >>> 0;
}

/** Where pages begin and end, as far as their headers say. */
function* pageBounds(bytes: Uint8Array): Generator<[from: number, to: number]> {
  for (let at = 0; at + 27 <= bytes.length; ) {
    const segments = bytes[at + 26]!;
    const lengths = bytes.subarray(at + 27, at + 27 + segments);
    const end = lengths.reduce((sum, length) => sum + length, at + 27 + segments);
    if (String.fromCharCode(...bytes.subarray(at, at + 4)) !== 'OggS' || end > bytes.length) at++;
    else {
      yield [at, end];
      at = end;
    }
  }
}

/** The same with right checksums, so that readers look at what the pages hold. */
export function withChecksums(original: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(original);
  const view = new DataView(bytes.buffer);
  for (const [from, to] of pageBounds(bytes)) {
    view.setUint32(from + 22, 0, true);
    view.setUint32(from + 22, checksum(bytes.subarray(from, to)), true);
  }
  return bytes;
}

/** The pages of a file. */
export const oggPagesOf = (bytes: Uint8Array): Uint8Array[] =>
  [...pageBounds(bytes)].map(([from, to]) => Uint8Array.from(bytes.subarray(from, to)));

export interface TestPage {
  readonly lengths: readonly number[];
  readonly body: Uint8Array;
  readonly granule: bigint;
  readonly sequence: number;
  /** 1: goes on with a packet, 2: first, 4: last. */
  readonly flags?: number;
  readonly serial?: number;
}

/** One page. `lengths` are those of its segments. */
export function oggPage({ lengths, body, granule, sequence, flags = 0, serial = 1 }: TestPage): Uint8Array {
  const page = new Uint8Array(27 + lengths.length + body.length);
  const view = new DataView(page.buffer);
  page.set([...'OggS'].map((c) => c.charCodeAt(0)));
  page[5] = flags;
  view.setBigInt64(6, granule, true);
  view.setUint32(14, serial, true);
  view.setUint32(18, sequence, true);
  page[26] = lengths.length;
  page.set(lengths, 27);
  page.set(body, 27 + lengths.length);
  return withChecksums(page);
}

/** Position of a page, to read or to change before `withChecksums`. */
export const granuleOf = (page: Uint8Array): bigint => new DataView(page.buffer).getBigInt64(6, true);
