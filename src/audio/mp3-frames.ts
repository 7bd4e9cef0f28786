/** Where the frames of MPEG audio are: headers, what is before the first, and what is between. ISO 11172-3, 13818-3. */

export interface FrameHeader {
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples of each channel. */
  readonly samples: number;
  /** Bytes of the frame with its header. */
  readonly bytes: number;
  /** Bytes of side information after the header; layer III. */
  readonly sideBytes: number;
}

/** Kilobits a second by index; by layer for version 1, then for layer I and the others of versions 2 and 2.5. */
const BIT_RATES = {
  '1 1': [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  '1 2': [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  '1 3': [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2 1': [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  '2 2': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  '2 3': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const SAMPLE_RATES = [44_100, 48_000, 32_000];
/** Frames in a row that are no coincidence, where nothing else says that frames begin here. */
const FRAMES_IN_A_ROW = 4;
/** Bytes in which the first frame is looked for. */
const MOST_BYTES_BEFORE = 1 << 16;

/** The frame header at byte `at`; null where there is none. Frames of a free bit rate are not known. */
export function readFrameHeader(bytes: Uint8Array, at: number): FrameHeader | null {
  if (at + 4 > bytes.length || bytes[at] !== 0xff) return null;
  const [second, third, fourth] = [bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
  // 3: version 1, 2: version 2, 0: version 2.5
  const version = (second >> 3) & 3;
  const layer = (4 - ((second >> 1) & 3)) as 1 | 2 | 3 | 4;
  const rate = third >> 4;
  const frequency = SAMPLE_RATES[(third >> 2) & 3];
  if (second < 0xe0 || version === 1 || layer === 4 || frequency === undefined) return null;
  if (rate === 0 || rate === 15 || (fourth & 3) === 2) return null;
  const first = version === 3;
  const sampleRate = frequency / (first ? 1 : version === 2 ? 2 : 4);
  const bitRate = 1000 * BIT_RATES[`${first ? 1 : 2} ${layer}`][rate - 1]!;
  const padding = (third >> 1) & 1;
  const mono = fourth >> 6 === 3;
  const samples = layer === 1 ? 384 : layer === 3 && !first ? 576 : 1152;
  const unit = layer === 1 ? 4 : 1;
  return {
    sampleRate,
    channels: mono ? 1 : 2,
    samples,
    bytes: (Math.floor((samples * bitRate) / (8 * unit * sampleRate)) + padding) * unit,
    sideBytes: first ? (mono ? 17 : 32) : mono ? 9 : 17,
  };
}

/** Whether `count` frames of the same kind follow each other from byte `at`, or fewer to the end of the file. */
function framesFollow(bytes: Uint8Array, at: number, count: number): boolean {
  const first = readFrameHeader(bytes, at);
  if (first === null) return false;
  let next = at;
  for (let frames = 0; frames < count; frames++) {
    const header = readFrameHeader(bytes, next);
    if (header?.sampleRate !== first.sampleRate || header.samples !== first.samples) return false;
    next += header.bytes;
    // One frame that fills the file could be anything that is as long.
    if (next === bytes.length) return frames > 0;
    if (next > bytes.length) return frames >= 2;
  }
  return true;
}

/** Byte after the ID3v2 tags that a file begins with; 0 where there are none. */
function afterTags(bytes: Uint8Array): number {
  let at = 0;
  while (at + 10 <= bytes.length && bytes[at] === 0x49 && bytes[at + 1] === 0x44 && bytes[at + 2] === 0x33) {
    const [version, revision, flags, ...size] = bytes.subarray(at + 3, at + 10) as unknown as number[];
    if (version! < 2 || version! > 4 || revision === 255 || size.some((byte) => byte > 127)) break;
    at += 10 + size.reduce((sum, byte) => sum * 128 + byte, 0) + (flags! & 16 ? 10 : 0);
  }
  return at;
}

/**
 * Byte of the first frame, after ID3v2 tags and what else there may be, if a second follows or, further on, several;
 * -1 where this is no MPEG audio.
 */
export function findFirstFrame(bytes: Uint8Array): number {
  const start = afterTags(bytes);
  if (framesFollow(bytes, start, 2)) return start;
  const end = Math.min(bytes.length, start + MOST_BYTES_BEFORE);
  for (let at = bytes.indexOf(0xff, start); at >= 0 && at < end; at = bytes.indexOf(0xff, at + 1)) {
    if (framesFollow(bytes, at, FRAMES_IN_A_ROW)) return at;
  }
  return -1;
}

/** Whole frames that follow each other, without what is between such runs: tags, damage. */
export interface FrameRun {
  readonly from: number;
  readonly to: number;
  /** Samples of each channel in a frame that the file ends within; 0 where it does not. */
  readonly cutSamples: number;
}

export function* frameRuns(bytes: Uint8Array, first: number): Generator<FrameRun> {
  for (let from = first; from >= 0; ) {
    let to = from;
    let cutSamples = 0;
    for (let header = readFrameHeader(bytes, to); header; header = readFrameHeader(bytes, to)) {
      if (to + header.bytes > bytes.length) {
        cutSamples = header.samples;
        break;
      }
      to += header.bytes;
    }
    if (to > from || cutSamples > 0) yield { from, to, cutSamples };
    from = bytes.indexOf(0xff, Math.max(to, from + 1));
    while (from >= 0 && !framesFollow(bytes, from, 2)) from = bytes.indexOf(0xff, from + 1);
  }
}
