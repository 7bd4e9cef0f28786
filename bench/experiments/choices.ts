/** What is tried: codings of a task, by experiment. */
import type { CodingOptions } from '../../src/training/recipes/coding.js';
import type { Task } from './tasks.js';

/**
 * What codes are made by: k-means on the continuous network's vectors and nothing else; the task's loss alone, which moves
 * network and codewords; or both, the task's loss with codewords that follow their vectors and a commitment loss.
 */
export const LOSSES = ['k-means', 'task', 'both'] as const;
export type Losses = (typeof LOSSES)[number];

export interface Choice {
  readonly losses: Losses;
  readonly splitLayer: number;
  readonly pooling: number;
  readonly codebooks: number;
  readonly codewords: number;
  /** Weight of the commitment loss. */
  readonly beta: number;
  /** Weight of the estimated bits of a recording. */
  readonly lambda: number;
  /** Most numbers of a vector. */
  readonly width: number;
  /** Largest rate of learning, and epochs, of its training; 0 where nothing is trained. */
  readonly rate: number;
  readonly epochs: number;
}

const baseOf = ({ trial }: Task) => ({
  losses: 'both' as const,
  codebooks: 4,
  codewords: 256,
  beta: 0.25,
  lambda: 0,
  width: 128,
  ...trial,
});

/** The workload's settings for a choice. `stepWidth`: numbers of a step at that cut. */
export function codingOf(
  { losses, splitLayer, pooling, codebooks, codewords, beta, lambda, width }: Choice,
  stepWidth: number,
): CodingOptions {
  const isLearned = losses !== 'k-means';
  return {
    splitLayer,
    pooling,
    pooledBy: isLearned ? 'learned' : 'stacked',
    codebooks,
    codewords,
    ...(isLearned ? { width: Math.min(width, stepWidth) } : {}),
    learning: losses === 'task' ? 'task' : 'averages',
    commitment: losses === 'both' ? beta : 0,
    rate: losses === 'both' ? lambda : 0,
    use: 0,
    continuous: 0.2,
  };
}

const untrained = (choice: Choice): Choice => ({
  ...choice,
  losses: 'k-means',
  beta: 0,
  rate: 0,
  epochs: 0,
});

/** Whether a result is one of the task's own short training, or of none. */
export const isOfTrial = ({ losses, rate, epochs }: Choice, { trial }: Task): boolean =>
  losses === 'k-means' || (rate === trial.rate && epochs === trial.epochs);

/** The same bits at every cut. */
export function layerChoices(task: Task): Choice[] {
  return task.cuts.flatMap(({ splitLayer, pooling, codebooks }) => {
    const choice = { ...baseOf(task), splitLayer, pooling, codebooks: Math.max(4, codebooks) };
    return [untrained(choice), choice];
  });
}

/** Rates at the cut of the shipped model: by steps to a vector, and by codewords. */
export function rateChoices(task: Task, { splitLayer, pooling }: CodingOptions): Choice[] {
  const base = baseOf(task);
  return [
    ...task.poolings.map((each) => ({ ...base, splitLayer, pooling: each })),
    ...[16, 1024].map((codewords) => ({ ...base, splitLayer, pooling, codewords })),
  ].flatMap((choice) => [untrained(choice), choice]);
}

/** What codes are trained by, at the shipped model's cut and pooling. */
export function lossChoices(task: Task, { splitLayer, pooling }: CodingOptions): Choice[] {
  const both = { ...baseOf(task), splitLayer, pooling };
  return [
    untrained(both),
    { ...both, losses: 'task', beta: 0 },
    ...[0, 0.25, 1, 4].map((beta) => ({ ...both, beta })),
  ];
}

/**
 * What the criterion is to predict, without training: cuts and codewords with every step a vector, then what the sensitivity of
 * layers and the rates are measured with.
 */
export function criterionChoices(task: Task, coding: CodingOptions): Choice[] {
  const single = task.cuts.flatMap(({ splitLayer }) =>
    [16, 64, 256].map((codewords) => untrained({ ...baseOf(task), splitLayer, pooling: 1, codewords })),
  );
  const trained = [...layerChoices(task), ...rateChoices(task, coding)];
  const others = trained.filter(({ losses, pooling }) => losses === 'k-means' && pooling > 1);
  const unique = new Map([...single, ...others].map((choice) => [JSON.stringify(choice), choice]));
  return [...unique.values()];
}

export const describe = ({
  losses,
  splitLayer,
  pooling,
  codebooks,
  codewords,
  beta,
}: Omit<Choice, 'rate' | 'epochs'>): string =>
  `${losses}${losses === 'both' ? `, beta ${beta}` : ''}: cut after ${splitLayer}, ${pooling} steps to a vector, ` +
  `${codebooks} x ${codewords} codewords`;
