/**
 * Inputs that are damaged copies of others, one after another. Guided by coverage, an input that reached something new is kept,
 * and damaged further; else all come from the seeds.
 */
import type { Coverage } from './coverage.js';

export interface Input {
  /** What reads it: inputs are mixed with those of the same reader only. */
  readonly target: number;
  readonly bytes: Uint8Array;
}

/** Something that must not be: the message says what, the input shows it. */
export interface Finding {
  readonly message: string;
  readonly input: Input;
  readonly at: number;
}

export interface CampaignOptions {
  readonly seeds: readonly Input[];
  /** Reads an input: whether it was accepted. What it throws is a finding. */
  readonly run: (input: Input) => boolean;
  readonly coverage: Coverage;
  /** A damaged copy of `input`; `other` is one of the same reader. */
  readonly mutate: (input: Input, other: Input, random: () => number) => Uint8Array;
  readonly random: () => number;
  readonly guided: boolean;
  /** Called before each run. */
  readonly watch?: (input: Input) => void;
}

/** Findings that are kept; the same message counts once. */
const MOST_FINDINGS = 20;
/**
 * Of the processor: a stream of a day, or a search through one, takes up to a second where nothing is counted, and is read
 * several times here. An index for each codeword takes megabytes.
 */
const SLOW_MILLISECONDS = 20_000;
const LARGE_BYTES = 1 << 29;
/** What takes so long is not kept: what is made of it takes as long, and others are made of what is quick. */
const KEPT_MILLISECONDS = 50;
/** How often the input to go on from is one of the newest. */
const NEWEST_OFTEN = 0.4;
const NEWEST = 24;

export class Campaign {
  readonly corpus: Input[];
  readonly findings = new Map<string, Finding>();
  cases = 0;
  accepted = 0;
  /** Of the processor, for one input. */
  slowestMilliseconds = 0;
  slowest: Input | null = null;
  /** Largest growth of memory outside the JavaScript heap while reading one input. */
  mostBytes = 0;
  private readonly byTarget = new Map<number, Input[]>();

  constructor(private readonly options: CampaignOptions) {
    this.corpus = [];
    for (const seed of options.seeds) {
      this.try(seed);
      this.keep(seed);
    }
  }

  /** One case more. */
  step(): void {
    const { mutate, random, guided } = this.options;
    const input = this.pick(this.corpus);
    const other = this.pick(this.byTarget.get(input.target)!);
    const made = { target: input.target, bytes: mutate(input, other, random) };
    if (this.try(made) && guided) this.keep(made);
  }

  private keep(input: Input): void {
    this.corpus.push(input);
    const same = this.byTarget.get(input.target);
    if (same) same.push(input);
    else this.byTarget.set(input.target, [input]);
  }

  private pick(from: readonly Input[]): Input {
    const { random, guided } = this.options;
    const first = guided && random() < NEWEST_OFTEN ? Math.max(0, from.length - NEWEST) : 0;
    return from[first + Math.floor((from.length - first) * random())]!;
  }

  /** Reads an input; whether it is worth to be gone on from: it reached something new, and is quick. */
  private try(input: Input): boolean {
    const { run, coverage, watch } = this.options;
    watch?.(input);
    coverage.reset();
    const before = process.memoryUsage().arrayBuffers;
    const start = process.cpuUsage();
    try {
      if (run(input)) this.accepted++;
    } catch (error) {
      this.find(error instanceof Error ? (error.stack ?? error.message) : String(error), input);
    }
    const { user, system } = process.cpuUsage(start);
    const milliseconds = (user + system) / 1000;
    const bytes = process.memoryUsage().arrayBuffers - before;
    if (milliseconds > SLOW_MILLISECONDS) this.find('an input takes too long', input);
    if (bytes > LARGE_BYTES) this.find('an input takes too much memory', input);
    if (milliseconds > this.slowestMilliseconds) {
      this.slowestMilliseconds = milliseconds;
      this.slowest = input;
    }
    this.mostBytes = Math.max(this.mostBytes, bytes);
    this.cases++;
    return coverage.isNew() && milliseconds < KEPT_MILLISECONDS;
  }

  private find(message: string, input: Input): void {
    if (this.findings.size >= MOST_FINDINGS || this.findings.has(message)) return;
    this.findings.set(message, { message, input, at: this.cases });
  }
}
