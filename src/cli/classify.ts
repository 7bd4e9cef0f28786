import type { Verdict } from '../codec/index.js';
import { RECORDINGS } from './encode.js';
import { shortPath } from './files.js';
import { openNetwork } from './model.js';
import { pushRecording } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, print } from './run.js';
import { seconds } from './text.js';

export interface ClassifyArguments {
  readonly model?: string;
  readonly json?: boolean;
}

/** Classes that are shown of a verdict. */
const SHOWN = 3;

/** A verdict for people: the likeliest classes, and each clip where there are several. */
export function verdictLines({ classes, clips }: Verdict): string[] {
  const likeliest = classes
    .slice(0, SHOWN)
    .map(({ label, probability }) => `${label} ${probability.toFixed(2)}`)
    .join(', ');
  const each = clips.map(({ start, end, label, confidence }) => {
    const times = `${start.toFixed(2).padStart(8)} – ${end.toFixed(2)} s`.padEnd(22);
    return `${times}${label.padEnd(16)} ${confidence.toFixed(2)}`;
  });
  return clips.length === 0 ? [] : [`  ${likeliest}`, ...(clips.length > 1 ? each : [])];
}

/** acom classify: recordings to labels by the uncut model, with nothing sent between. */
export async function classify(names: readonly string[], options: ClassifyArguments): Promise<ExitCode> {
  return forEachInput(names, RECORDINGS, async () => {
    const classifier = await openNetwork(options.model, (model) => model.uncutClassifier());
    return async ({ path }) => {
      const stream = await pushRecording(path, (sampleRate) => classifier.stream(sampleRate));
      const verdict = stream.finish();
      if (options.json) print(JSON.stringify({ file: path, ...verdict }));
      else {
        print(`${shortPath(path)}: ${verdict.label ?? '(nothing to classify)'}`);
        print(...verdictLines(verdict), `  ${seconds(verdict.seconds)}, uncut model`);
      }
      return EXIT.done;
    };
  });
}
