import { truncateCodebooks } from '../bitstream/index.js';
import type { DecodeOptions, StreamCoder } from '../codec/index.js';
import { CorruptStreamError } from '../tensor/index.js';
import { readInput, shortPath } from './files.js';
import { openHalf } from './model.js';
import { EXIT, type ExitCode, forEachInput, given, print, warn } from './run.js';
import { ratesLine, wordLines } from './text.js';

export interface DecodeArguments {
  readonly codebooks?: number;
  readonly beam?: number;
  readonly model?: string;
  readonly json?: boolean;
}

/** A line about the rates of the codebooks that were used, as if the others had not been sent. */
function usedRates(coder: StreamCoder, bytes: Uint8Array, codebooks: number | undefined): string {
  if (codebooks === undefined) return ratesLine(coder.rates(bytes));
  try {
    return ratesLine(coder.rates(truncateCodebooks(bytes, codebooks)));
  } catch (error) {
    // What is damaged can't be cut to fewer codebooks.
    if (error instanceof CorruptStreamError) return `${ratesLine(coder.rates(bytes))}, as it arrived`;
    throw error;
  }
}

/** acom decode: .acom files to words, by the cloud half alone. */
export async function decode(names: readonly string[], options: DecodeArguments): Promise<ExitCode> {
  return forEachInput(names, ['.acom'], async () => {
    const decoder = await openHalf(options.model, (model) => model.cloudDecoder());
    const settings: DecodeOptions = given({ codebooks: options.codebooks, beam: options.beam });
    return async ({ path }) => {
      const bytes = await readInput(path);
      const transcript = decoder.decode(bytes, settings);
      if (options.json) print(JSON.stringify({ file: path, ...transcript }));
      else {
        const lines = wordLines(transcript.words);
        print(
          `${shortPath(path)}: ${transcript.text === '' ? '(nothing was heard)' : transcript.text}`,
          ...lines,
        );
        print(`  ${usedRates(decoder.coder, bytes, options.codebooks)}`);
      }
      for (const warning of transcript.warnings) warn(shortPath(path), warning);
      for (const { start, end } of transcript.missing) {
        warn(shortPath(path), `lost from ${start.toFixed(2)} to ${end.toFixed(2)} s`);
      }
      return transcript.missing.length > 0 || transcript.warnings.length > 0 ? EXIT.damaged : EXIT.done;
    };
  });
}
