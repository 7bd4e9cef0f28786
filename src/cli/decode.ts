import type { DecodeOptions } from '../codec/index.js';
import { expandInputs, readInput, shortPath } from './files.js';
import { openModel } from './model.js';
import { EXIT, type ExitCode, forEachInput, print, warn } from './run.js';
import { ratesLine, wordLines } from './text.js';

export interface DecodeArguments {
  readonly codebooks?: number;
  readonly beam?: number;
  readonly model?: string;
  readonly json?: boolean;
}

/** acom decode: .acom files to words, by the cloud half alone. */
export async function decode(names: readonly string[], options: DecodeArguments): Promise<ExitCode> {
  const inputs = await expandInputs(names, ['.acom']);
  const decoder = await (await openModel(options.model)).cloudDecoder();
  const settings: DecodeOptions = {
    ...(options.codebooks === undefined ? {} : { codebooks: options.codebooks }),
    ...(options.beam === undefined ? {} : { beam: options.beam }),
  };
  return forEachInput(
    inputs,
    ({ path }) => shortPath(path),
    async ({ path }) => {
      const bytes = await readInput(path);
      const transcript = decoder.decode(bytes, settings);
      if (options.json) print(JSON.stringify({ file: path, ...transcript }));
      else {
        const lines = wordLines(transcript.words);
        print(
          `${shortPath(path)}: ${transcript.text === '' ? '(nothing was heard)' : transcript.text}`,
          ...lines,
        );
        print(`  ${ratesLine(decoder.coder.rates(bytes))}`);
      }
      for (const warning of transcript.warnings) warn(shortPath(path), warning);
      for (const { start, end } of transcript.missing) {
        warn(shortPath(path), `lost from ${start.toFixed(2)} to ${end.toFixed(2)} s`);
      }
      return transcript.missing.length > 0 || transcript.warnings.length > 0 ? EXIT.damaged : EXIT.done;
    },
  );
}
