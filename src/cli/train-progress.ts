/** Progress of training on standard error: a bar on a terminal, lines in a log. */
import type { RecipeNote } from '../training/recipes/index.js';
import type { TrainingProgress } from '../training/run/index.js';
import { type NotedBar, startNotedBar } from './progress.js';

type Texts = Pick<
  typeof import('../training/run/index.js'),
  'lineReporter' | 'standingText' | 'validationText'
>;

export interface TrainingReporter {
  readonly report: (progress: TrainingProgress | RecipeNote) => void;
  stop(): void;
}

export function trainingReporter(texts: Texts, everySeconds = 30): TrainingReporter {
  let bar: NotedBar | null = null;
  // A recipe may train several times: each has its own bar.
  let last = { step: 0, steps: 0 };
  const print = (line: string): void => {
    if (bar) bar.print(line);
    else process.stderr.write(`${line}\n`);
  };
  const lines = texts.lineReporter(print, everySeconds);
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  return {
    stop,
    report(progress) {
      if (progress.kind === 'note') return print(progress.text);
      if (progress.kind !== 'step' || !process.stderr.isTTY) return lines(progress);
      const { step, steps } = progress;
      if (steps !== last.steps || step < last.step) stop();
      last = { step, steps };
      bar ??= startNotedBar(steps);
      bar?.update(step, texts.standingText(progress));
      if (step === steps) stop();
    },
  };
}
