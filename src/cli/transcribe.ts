import type { DecodeArguments } from './decode.js';
import { RECORDINGS } from './encode.js';
import { expandInputs, shortPath } from './files.js';
import { openModel } from './model.js';
import { pushRecording } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, print } from './run.js';
import { seconds, wordLines } from './text.js';

/** acom transcribe: recordings to words by the uncut model, with nothing sent between. */
export async function transcribe(
  names: readonly string[],
  options: Omit<DecodeArguments, 'codebooks'>,
): Promise<ExitCode> {
  const inputs = await expandInputs(names, RECORDINGS);
  const recognizer = await (await openModel(options.model)).uncutRecognizer();
  const decoding = options.beam === undefined ? {} : { beam: options.beam };
  return forEachInput(
    inputs,
    ({ path }) => shortPath(path),
    async ({ path }) => {
      const { stream } = await pushRecording(path, (sampleRate) => recognizer.stream(sampleRate, decoding));
      const transcript = stream.finish();
      if (options.json) print(JSON.stringify({ file: path, ...transcript }));
      else {
        print(`${shortPath(path)}: ${transcript.text === '' ? '(nothing was heard)' : transcript.text}`);
        print(...wordLines(transcript.words), `  ${seconds(transcript.seconds)}, uncut model`);
      }
      return EXIT.done;
    },
  );
}
