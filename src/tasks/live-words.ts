/** Words while they are said: the greedy path of log-probabilities that arrive chunk by chunk. */
import type { Tensor } from '../tensor/index.js';
import { BLANK, type CtcToken, likeliest } from './ctc.js';
import { type Vocabulary, WORD_START, type Word, wordsOfTokens } from './recognition.js';

/** Tokens of one word, far more than any has: where none begins a word they would be kept for as long as the stream goes on. */
const MOST_TOKENS = 256;

export class LiveWords {
  /** Tokens that may still become part of a word that is being said; the last of them may be going on. */
  private readonly open: { label: number; startFrame: number; endFrame: number; sum: number }[] = [];
  private frame = 0;

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly frameSeconds: number,
  ) {}

  /** Takes log-probabilities [frames, classes]; gives the words that nothing can change any more. */
  push(logProbs: Tensor): Word[] {
    const [frames] = logProbs.shape as [number];
    for (let t = 0; t < frames; t++, this.frame++) {
      const row = logProbs.offset + t * logProbs.stride[0]!;
      const label = likeliest(logProbs, row);
      if (label === BLANK) continue;
      const last = this.open[this.open.length - 1];
      const logProb = logProbs.data[row + label]!;
      if (last?.label === label && last.endFrame === this.frame) {
        last.endFrame++;
        last.sum += logProb;
      } else {
        this.open.push({ label, startFrame: this.frame, endFrame: this.frame + 1, sum: logProb });
      }
    }
    return this.take(this.ended());
  }

  /** `frames` frames of which nothing is known: what was being said has ended. */
  skip(frames: number): Word[] {
    const words = this.finish();
    this.frame += frames;
    return words;
  }

  /** The words that are left at the end. */
  finish(): Word[] {
    return this.take(this.open.length);
  }

  /** The word that is being said, as far as it was heard; null where none is. */
  get partial(): string | null {
    return (
      this.wordsOf(this.open)
        .map(({ word }) => word)
        .join(' ') || null
    );
  }

  /** Tokens at the front that belong to words which have ended. */
  private ended(): number {
    const { open, frame } = this;
    const last = open[open.length - 1];
    const complete = last?.endFrame === frame ? open.length - 1 : open.length;
    if (this.vocabulary.units !== 'pieces') return complete;
    // A word of pieces goes on until another begins.
    for (let n = complete; n > 0; n--) {
      if (n < open.length && this.vocabulary.labels[open[n]!.label]?.startsWith(WORD_START)) return n;
    }
    return complete < MOST_TOKENS ? 0 : complete;
  }

  private take(count: number): Word[] {
    return this.wordsOf(this.open.splice(0, count));
  }

  private wordsOf(tokens: LiveWords['open']): Word[] {
    const heard = tokens.map(
      ({ label, startFrame, endFrame, sum }): CtcToken => ({
        label,
        startFrame,
        endFrame,
        confidence: Math.exp(sum / (endFrame - startFrame)),
      }),
    );
    return wordsOfTokens(heard, this.vocabulary, this.frameSeconds, 0);
  }
}
