/** Learning rates over the steps of a run. They are plain data, so that a checkpoint can say which one it had. */
export type Schedule =
  | {
      /** Rises over `warmup` steps, then stays. */
      readonly kind: 'constant';
      readonly rate: number;
      readonly warmup?: number;
    }
  | {
      /** Rises over `warmup` steps to `rate`, then falls along half a cosine to `floor` at the last step. */
      readonly kind: 'cosine';
      readonly rate: number;
      readonly warmup: number;
      /** Default 0. */
      readonly floor?: number;
    };

/**
 * Learning rate of a step, counted from 1, of `steps`. Warm-up is linear and reaches the full rate at step `warmup`; half a
 * cosine as in SGDR (Loshchilov and Hutter 2017), without restarts.
 */
export function learningRate(schedule: Schedule, step: number, steps: number): number {
  const { rate, warmup = 0 } = schedule;
  if (step < warmup) return (rate * step) / warmup;
  if (schedule.kind === 'constant') return rate;
  const { floor = 0 } = schedule;
  const done = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return floor + 0.5 * (rate - floor) * (1 + Math.cos(Math.PI * done));
}
