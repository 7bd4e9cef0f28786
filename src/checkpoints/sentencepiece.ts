/**
 * SentencePiece models (tokenizer.ckpt of SpeechBrain, tokenizer.model elsewhere): the pieces of a vocabulary, and
 * text from their numbers. The file is a protocol buffer, read through the package pbf, an optional peer that only
 * this file imports.
 *
 * Format: sentencepiece_model.proto; decoding: SentencePieceProcessor::Decode (github.com/google/sentencepiece).
 */
import type { PbfReader } from 'pbf';
import {
  AcomError,
  asBytes,
  type Bytes,
  FormatError,
  MissingPackageError,
  UsageError,
} from '../tensor/index.js';

export interface SentencePiece {
  /** A piece of text, U+2581 where a word begins. */
  readonly text: string;
  /** Its logarithmic probability in unigram models. */
  readonly score: number;
  readonly type: (typeof TYPES)[number];
}

export interface SentencePieceModel {
  /** By number. */
  readonly pieces: readonly SentencePiece[];
  /** The text of a sequence of pieces; throws UsageError for a number that is none of theirs. */
  decode(ids: readonly number[]): string;
}

/** Numbers 1 to 6 of SentencePiece.Type. */
const TYPES = ['normal', 'unknown', 'control', 'user defined', 'unused', 'byte'] as const;
const WORD_BOUNDARY = '\u2581';
const REPLACEMENT = '\ufffd';
/** Most pieces that are read; the largest vocabularies in use have a quarter of them. */
const MOST_PIECES = 1 << 20;

/** What of a model decoding depends on. */
interface Model {
  readonly pieces: SentencePiece[];
  /** What stands for a piece that is unknown. */
  unknownSurface: string;
  addDummyPrefix: boolean;
  removeExtraWhitespace: boolean;
}

const fail = (message: string, offset?: number): never => {
  throw new FormatError('SentencePiece model', message, offset);
};

async function loadPbf() {
  try {
    return (await import('pbf')).PbfReader;
  } catch (cause) {
    throw new MissingPackageError('pbf', 'Reading SentencePiece models', cause);
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads one field of a message: its number and, before the value is read, its wire type. */
type ReadField = (field: number, reader: PbfReader) => void;
const [VARINT, LENGTH_DELIMITED, FIXED32] = [0, 2, 5];

/** Reads the fields up to `end`; those that `read` leaves are passed over. */
function readFields(reader: PbfReader, end: number, read: ReadField): void {
  while (reader.pos < end) {
    const tag = reader.readVarint();
    reader.type = tag & 7;
    const begin = reader.pos;
    if (tag >>> 3 === 0) fail('a field has the number 0', begin);
    read(tag >>> 3, reader);
    if (reader.pos === begin) reader.skip(reader.type);
  }
  if (reader.pos > end) fail('a field ends behind its message: the file is cut short or damaged', end);
}

/** Where the value of a field that says its length ends. */
function endOf(reader: PbfReader): number {
  const length = reader.readVarint();
  const end = reader.pos + length;
  if (!(length >= 0 && end <= reader.length)) {
    fail(`a field of ${length} bytes ends behind the file: it is cut short or damaged`, reader.pos);
  }
  return end;
}

function readText(reader: PbfReader): string {
  const [end, begin] = [endOf(reader), reader.pos];
  reader.pos = end;
  try {
    return strict.decode(reader.buf.subarray(begin, end));
  } catch {
    return fail('a piece is no UTF-8', begin);
  }
}

function readPiece(reader: PbfReader): SentencePiece {
  let [text, score, type] = ['', 0, 1];
  readFields(reader, endOf(reader), (field) => {
    if (field === 1 && reader.type === LENGTH_DELIMITED) text = readText(reader);
    if (field === 2 && reader.type === FIXED32) score = reader.readFloat();
    if (field === 3 && reader.type === VARINT) type = reader.readVarint();
  });
  const named = TYPES[type - 1];
  if (named === undefined)
    return fail(`piece ${JSON.stringify(text)} is of the unknown type ${type}`, reader.pos);
  if (named === 'byte' && !/^<0x[0-9A-F]{2}>$/.test(text)) {
    return fail(`byte piece ${JSON.stringify(text)} names no byte`, reader.pos);
  }
  return { text, score, type: named };
}

function readModel(reader: PbfReader): Model {
  const model: Model = {
    pieces: [],
    unknownSurface: ' \u2047 ',
    addDummyPrefix: true,
    removeExtraWhitespace: true,
  };
  readFields(reader, reader.length, (field) => {
    if (reader.type !== LENGTH_DELIMITED) return;
    if (field === 1) {
      model.pieces.push(readPiece(reader));
      if (model.pieces.length > MOST_PIECES) fail(`it has more than ${MOST_PIECES} pieces`, reader.pos);
    }
    // TrainerSpec
    if (field === 2) {
      readFields(reader, endOf(reader), (sub) => {
        if (sub === 44 && reader.type === LENGTH_DELIMITED) model.unknownSurface = readText(reader);
      });
    }
    // NormalizerSpec
    if (field === 3) {
      readFields(reader, endOf(reader), (sub) => {
        if (sub === 3 && reader.type === VARINT) model.addDummyPrefix = reader.readBoolean();
        if (sub === 4 && reader.type === VARINT) model.removeExtraWhitespace = reader.readBoolean();
      });
    }
    // Denormalizer, with a table of replacements
    if (field === 5) {
      readFields(reader, endOf(reader), (sub) => {
        if (sub !== 2 || reader.type !== LENGTH_DELIMITED) return;
        const end = endOf(reader);
        if (end > reader.pos) fail('it rewrites what it has decoded, which is not read', reader.pos);
      });
    }
  });
  return model;
}

/** Length of the UTF-8 character that begins at `at`; 0 where there is none. */
function characterLength(bytes: readonly number[], at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  try {
    strict.decode(Uint8Array.from(bytes.slice(at, at + length)));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

/** Bytes as text; each that belongs to no character becomes U+FFFD. */
function textOf(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    text += length > 0 ? strict.decode(Uint8Array.from(bytes.slice(at, at + length))) : REPLACEMENT;
    at += Math.max(1, length);
  }
  return text;
}

function decode(model: Model, ids: readonly number[]): string {
  let text = '';
  let bytes: number[] = [];
  // Whether the space before the first word, which encoding adds or all leading ones are trimmed to, is still due.
  let atStart = true;
  const flush = (): void => {
    text += textOf(bytes);
    bytes = [];
  };
  let boundarySeen = false;
  for (const id of ids) {
    const piece = model.pieces[id];
    if (piece === undefined) {
      throw new UsageError(`decode: ${id} is the number of no piece; the model has ${model.pieces.length}`);
    }
    if (piece.type === 'byte') {
      bytes.push(Number.parseInt(piece.text.slice(3, 5), 16));
      continue;
    }
    flush();
    if (boundarySeen || text !== '') atStart = false;
    boundarySeen = false;
    if (piece.type === 'control') continue;
    if (piece.type === 'unknown') {
      text += model.unknownSurface;
      continue;
    }
    const trimmed =
      atStart &&
      (model.addDummyPrefix || model.removeExtraWhitespace) &&
      piece.text.startsWith(WORD_BOUNDARY);
    boundarySeen = trimmed && !model.removeExtraWhitespace;
    text += (trimmed ? piece.text.slice(1) : piece.text).replaceAll(WORD_BOUNDARY, ' ');
  }
  flush();
  return text;
}

/** Reads a model; needs the package pbf. Throws FormatError for what is none. */
export async function readSentencePiece(given: Bytes): Promise<SentencePieceModel> {
  const bytes = asBytes(given, 'readSentencePiece');
  const Reader = await loadPbf();
  const reader = new Reader(bytes);
  let model: Model;
  try {
    model = readModel(reader);
  } catch (error) {
    if (error instanceof AcomError) throw error;
    return fail(`${(error as Error).message}: the file is cut short, damaged or no model`, reader.pos);
  }
  if (model.pieces.length === 0) return fail('it has no pieces: this is no SentencePiece model', 0);
  const { pieces } = model;
  return { pieces, decode: (ids) => decode(model, ids) };
}
