/** What a run says while it goes on. */

export interface StepProgress {
  readonly kind: 'step';
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  /** From 0. */
  readonly epoch: number;
  /** Mean over the items of the batch. */
  readonly loss: number;
  /** The same over about the last 50 steps. */
  readonly smoothedLoss: number;
  /** Means over the items of the batch. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Of the gradient, before clipping. */
  readonly gradientNorm: number;
  readonly itemsPerSecond: number;
  readonly secondsLeft: number;
}

export interface ValidationProgress {
  readonly kind: 'validation';
  readonly step: number;
  readonly score: number;
  readonly values: Readonly<Record<string, number>>;
  readonly isBest: boolean;
  readonly seconds: number;
}

export interface CheckpointProgress {
  readonly kind: 'checkpoint';
  readonly step: number;
  readonly file: string;
}

export interface ResumedProgress {
  readonly kind: 'resumed';
  /** Steps that were done before. */
  readonly step: number;
  readonly file: string;
}

export type TrainingProgress = StepProgress | ValidationProgress | CheckpointProgress | ResumedProgress;

/** Mean that forgets: each number counts `keep` times as much when another one came. */
export class Smoothed {
  private sum = 0;
  private weight = 0;

  constructor(private readonly keep: number) {}

  add(value: number): number {
    this.sum = this.keep * this.sum + (1 - this.keep) * value;
    this.weight = this.keep * this.weight + (1 - this.keep);
    return this.sum / this.weight;
  }
}
