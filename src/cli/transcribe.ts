import type { DecodeArguments } from './decoding.js';
import { RECORDINGS } from './encode.js';
import { shortPath } from './files.js';
import { openNetwork } from './model.js';
import { pushRecording } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, given, print } from './run.js';
import { seconds, wordLines } from './text.js';

/** acom transcribe: recordings to words by the uncut model, with nothing sent between. */
export async function transcribe(
  names: readonly string[],
  options: Omit<DecodeArguments, 'codebooks'>,
): Promise<ExitCode> {
  return forEachInput(names, RECORDINGS, async () => {
    const recognizer = await openNetwork(options.model, (model) => model.uncutRecognizer());
    const decoding = given({ beam: options.beam });
    return async ({ path }) => {
      const stream = await pushRecording(path, (sampleRate) => recognizer.stream(sampleRate, decoding));
      const transcript = stream.finish();
      if (options.json) print(JSON.stringify({ file: path, ...transcript }));
      else {
        print(`${shortPath(path)}: ${transcript.text === '' ? '(nothing was heard)' : transcript.text}`);
        print(...wordLines(transcript.words), `  ${seconds(transcript.seconds)}, uncut model`);
      }
      return EXIT.done;
    };
  });
}
