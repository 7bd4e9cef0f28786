import { RECORDINGS } from './encode.js';
import { shortPath } from './files.js';
import { openNetwork } from './model.js';
import { pushRecording } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, print } from './run.js';
import { seconds, verdictLines } from './text.js';

export interface ClassifyArguments {
  readonly model?: string;
  readonly json?: boolean;
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
