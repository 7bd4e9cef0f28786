/** Progress as lines of text. */
import type { StepProgress, TrainingProgress, ValidationProgress } from './progress.js';

/** A number as a person reads it: four digits that count. */
const short = (x: number): string =>
  x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6)
    ? x.toExponential(2)
    : String(Number(x.toPrecision(4)));

/** "45 s", "12 min", "2 h 05 min". */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** How a run stands: what a bar has beside it. */
export function standingText(progress: StepProgress): string {
  const { epoch, smoothedLoss, learningRate, gradientNorm, itemsPerSecond, secondsLeft } = progress;
  return (
    `epoch ${epoch + 1}, loss ${short(smoothedLoss)}, rate ${short(learningRate)}, gradient ${short(gradientNorm)}, ` +
    `${short(itemsPerSecond)} items/s, ${durationText(secondsLeft)} left`
  );
}

export function validationText({ step, score, values, isBest, seconds }: ValidationProgress): string {
  const rest = Object.entries(values).map(([name, value]) => `, ${name} ${short(value)}`);
  return `step ${step}: score ${short(score)}${isBest ? ', the best so far' : ''}${rest.join('')} (${durationText(seconds)})`;
}

/** Says what happens in lines, as logs have them: every validation, and how the run stands now and then. */
export function lineReporter(
  write: (line: string) => void,
  everySeconds = 30,
): (progress: TrainingProgress) => void {
  let said = performance.now();
  return (progress) => {
    if (progress.kind === 'validation') write(validationText(progress));
    if (progress.kind === 'resumed') write(`goes on after step ${progress.step}, from ${progress.file}`);
    if (progress.kind !== 'step') return;
    const now = performance.now();
    if (now - said < 1000 * everySeconds && progress.step < progress.steps) return;
    said = now;
    write(`step ${progress.step} of ${progress.steps}: ${standingText(progress)}`);
  };
}
