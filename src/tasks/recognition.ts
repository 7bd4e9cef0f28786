/** From class log-probabilities to words with times and confidences. */
import { type Tensor, UsageError } from '../tensor/index.js';
import { alignLabels, beamSearch, type CtcToken, greedyDecode } from './ctc.js';

/** A word that was heard. */
export interface Word {
  readonly word: string;
  /** Seconds from the start of the recording between which the network was sure of it. */
  readonly start: number;
  readonly end: number;
  /** From 0 to 1: the geometric mean of its probability over those frames. */
  readonly confidence: number;
}

export interface DecodingOptions {
  /** Width of a prefix-beam search; the greedy path where this is left out. */
  readonly beam?: number;
}

function tokensOf(logProbs: Tensor, { beam }: DecodingOptions): CtcToken[] {
  if (beam === undefined) return greedyDecode(logProbs);
  if (!Number.isInteger(beam) || beam < 1 || beam > 1000) {
    throw new UsageError(`beam is ${beam}; use a whole number from 1 to 1000`);
  }
  return alignLabels(logProbs, beamSearch(logProbs, { width: beam })[0]!.labels);
}

/** What the classes of a recogniser mean. */
export interface Vocabulary {
  readonly labels: readonly string[];
  /** Whether a label is a word (also where this is left out) or a piece of one, of which U+2581 begins a word. */
  readonly units?: 'words' | 'pieces';
}

/** Begins a word among pieces, as SentencePiece marks it; within a piece it stands for a space. */
export const WORD_START = '\u2581';
/** A piece that is one byte of a character which no other piece has. */
const BYTE = /^<0x([0-9A-F]{2})>$/;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A label that was heard, as text. */
interface Heard extends CtcToken {
  readonly text: string;
}

/** Tokens by the word that they make up. A piece without text (the end of a sentence) is none of any word. */
function groupedByWord(heard: readonly Heard[], units: Vocabulary['units']): Heard[][] {
  if (units !== 'pieces') return heard.map((token) => [token]);
  const words: Heard[][] = [];
  for (const token of heard) {
    if (token.text === '') continue;
    const starts = token.text.startsWith(WORD_START);
    if (starts || words.length === 0) words.push([]);
    words[words.length - 1]!.push(starts ? { ...token, text: token.text.slice(WORD_START.length) } : token);
  }
  return words.filter((pieces) => pieces.some(({ text }) => text !== ''));
}

/** The text of a word from those of its pieces. */
function joined(pieces: readonly string[]): string {
  let text = '';
  let bytes: number[] = [];
  for (const piece of [...pieces, '']) {
    const byte = BYTE.exec(piece)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      text += utf8.decode(Uint8Array.from(bytes)) + piece.replaceAll(WORD_START, ' ');
      bytes = [];
    }
  }
  return text;
}

/** Words of tokens in order, with times in seconds from `offsetSeconds` on. */
export function wordsOfTokens(
  tokens: readonly CtcToken[],
  { labels, units }: Vocabulary,
  frameSeconds: number,
  offsetSeconds: number,
): Word[] {
  const seconds = (frame: number) => Math.round((offsetSeconds + frame * frameSeconds) * 1e6) / 1e6;
  const heard = tokens.map((token) => ({ ...token, text: labels[token.label] ?? `<${token.label}>` }));
  return groupedByWord(heard, units).map((pieces) => ({
    word: units === 'pieces' ? joined(pieces.map(({ text }) => text)) : pieces[0]!.text,
    start: seconds(pieces[0]!.startFrame),
    end: seconds(pieces[pieces.length - 1]!.endFrame),
    confidence: geometricMean(pieces.map(({ confidence }) => confidence)),
  }));
}

/** Decodes log-probabilities [frames, classes]; the first frame stands `offsetSeconds` into the recording. */
export const decodeWords = (
  logProbs: Tensor,
  vocabulary: Vocabulary,
  frameSeconds: number,
  offsetSeconds: number,
  options: DecodingOptions = {},
): Word[] => wordsOfTokens(tokensOf(logProbs, options), vocabulary, frameSeconds, offsetSeconds);

const geometricMean = (values: readonly number[]): number =>
  values.length === 1
    ? values[0]!
    : Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** The transcript that words make up. */
export const textOf = (words: readonly Word[]): string => words.map(({ word }) => word).join(' ');
