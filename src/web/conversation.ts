/** One utterance after the other: sound to the worker, its packets to whoever answers, and all that comes of it to the views. */
import type { Word } from '../tasks/recognition.js';
import type { BitsView } from './bits-view.js';
import type { Engine } from './engine.js';
import {
  type ModelFacts,
  type ModelPlace,
  PEAKS_PER_VECTOR,
  type Sound,
  type UtteranceEvent,
} from './messages.js';
import type { LinkListener, StreamLink } from './stream-link.js';
import type { Timeline } from './timeline.js';
import type { WordsView } from './words-view.js';

export interface UtterancePlan {
  readonly place: ModelPlace;
  readonly facts: ModelFacts;
  readonly codebooks: number;
  readonly packetVectors: number;
  /** Makes the connection to the server; null where the server is not asked. */
  readonly connect: ((listener: LinkListener) => StreamLink) | null;
  /** Whether this page answers. */
  readonly answer: boolean;
}

export interface Views {
  readonly timeline: Timeline;
  readonly words: WordsView;
  readonly bits: BitsView;
  status(text: string): void;
  /** From 0 to 1. */
  level(level: number): void;
}

export interface ConversationListener {
  /** The server's part broke off; null where nothing but that is known. What the page does goes on. */
  linkFailed(message: string | null): void;
  /** The page's own part did. */
  failed(message: string): void;
  /** All sound has been heard. */
  heard(): void;
}

/** Loudness of talk close to a microphone, for the ring around the button. */
const LOUD = 0.4;

export class Conversation {
  private cancelSound: () => void = () => undefined;
  private link: StreamLink | null = null;
  private soundBuckets = 0;
  /** Says what came of the utterance, once all sound has been heard. */
  private summary: string | null = null;
  private isAnswered = true;
  /** Whether anybody answers. */
  private isAsked = false;

  constructor(
    private readonly engine: Engine,
    private readonly views: Views,
    private readonly listener: ConversationListener,
  ) {}

  begin(sound: Sound, plan: UtterancePlan): void {
    this.cancel();
    const { timeline, words, bits } = this.views;
    const { place, facts, codebooks, packetVectors, answer, connect } = plan;
    const rows = codebooks * facts.groups;
    timeline.begin({
      rows,
      codewords: facts.codewords,
      secondsPerVector: facts.secondsPerVector,
      packetVectors,
    });
    words.begin(connect || answer ? '…' : 'Nobody answers: these are codes and bits only.');
    bits.begin(facts.sampleRate);
    this.soundBuckets = 0;
    this.summary = null;
    this.isAnswered = connect === null;
    this.isAsked = connect !== null || answer;
    this.link = connect?.(this.linkListener()) ?? null;
    const settings = { place, codebooks, packetVectors, answer };
    this.cancelSound = this.engine.begin(sound, settings, (event) => this.hear(event, facts));
  }

  /** Ends what is under way, without waiting for anything. */
  cancel(): void {
    this.cancelSound();
    this.cancelSound = () => undefined;
    this.link?.close();
    this.link = null;
  }

  private hear(event: UtteranceEvent, facts: ModelFacts): void {
    const { timeline, bits } = this.views;
    switch (event.kind) {
      case 'sound': {
        timeline.addPeaks(event.peaks);
        this.soundBuckets += event.peaks.length / 2;
        bits.setSeconds((this.soundBuckets / PEAKS_PER_VECTOR) * facts.secondsPerVector);
        const loudest = event.peaks.reduce((most, peak) => Math.max(most, Math.abs(peak)), 0);
        this.views.level(Math.min(1, loudest / LOUD));
        break;
      }
      case 'codes':
        timeline.addCodes(event.indices);
        break;
      case 'opening':
      case 'packet':
        bits.add(event.bytes);
        this.link?.send(event.bytes);
        if (event.kind === 'packet') timeline.addPacket(event.bytes.length);
        break;
      case 'words':
        this.addWords(event.words, event.partial);
        break;
      case 'done':
        this.ended(event);
        break;
      case 'failed':
        this.cancel();
        this.views.level(0);
        this.listener.failed(event.message);
    }
  }

  private ended({ seconds, busySeconds }: Extract<UtteranceEvent, { kind: 'done' }>): void {
    const { timeline, bits } = this.views;
    this.cancelSound = () => undefined;
    bits.setSeconds(seconds);
    this.views.level(0);
    timeline.describe();
    const speed = busySeconds > 0 ? `, ${Math.round(seconds / busySeconds)} × as fast as it was said` : '';
    this.summary = `${seconds.toFixed(1)} s of sound, encoded in ${busySeconds.toFixed(2)} s${speed}.`;
    this.listener.heard();
    this.showEnd();
  }

  private showEnd(): void {
    const { words, status } = this.views;
    if (this.summary === null) return;
    if (this.isAnswered) status(`Done: ${this.summary}`);
    else {
      const backlog = this.link?.backlog ?? 0;
      status(backlog > 0 ? 'Sending as fast as the server takes it …' : 'Waiting for the last words …');
    }
    if (this.isAnswered && this.isAsked && words.count === 0) words.say('No words were heard.');
  }

  private linkListener(): LinkListener {
    return {
      words: (words, partial) => this.addWords(words, partial),
      finished: () => this.answered(),
      failed: (message) => {
        this.isAsked = false;
        this.answered();
        this.views.words.say('The server gave no more answers.');
        this.listener.linkFailed(message);
      },
    };
  }

  private addWords(words: readonly Word[], partial: string | null): void {
    this.views.words.add(words, partial);
    this.views.timeline.addWords(words);
  }

  private answered(): void {
    this.link = null;
    this.isAnswered = true;
    this.views.words.add([], null);
    this.showEnd();
  }
}
