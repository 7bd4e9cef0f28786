/** Quantiser dropout (Zeghidour et al. 2021): some recordings use the first codebooks only, so that those work alone. */
import { UsageError } from '../../tensor/index.js';

export interface StageDropout {
  /** Part of the recordings that use fewer codebooks than there are; default 0.5. */
  readonly probability?: number;
  /** Numbers of codebooks that those draw from, each alike; default all from 1 to K. */
  readonly choices?: readonly number[];
}

/** How many of `codebooks` codebooks each recording uses. */
export function drawStages(
  recordings: number,
  codebooks: number,
  { probability = 0.5, choices }: StageDropout,
  random: () => number,
): number[] {
  if (!(probability >= 0 && probability <= 1)) {
    throw new UsageError(`drawStages: probability is ${probability}, expected a number from 0 to 1`);
  }
  const drawn = choices ?? Array.from({ length: codebooks }, (_, k) => k + 1);
  const wrong = drawn.find((k) => !Number.isInteger(k) || k < 1 || k > codebooks);
  if (wrong !== undefined || drawn.length === 0) {
    throw new UsageError(
      `drawStages: choices are [${drawn.join(', ')}], expected some from 1 to ${codebooks}`,
    );
  }
  return Array.from({ length: recordings }, () =>
    random() < probability ? drawn[Math.floor(random() * drawn.length)]! : codebooks,
  );
}
