import type { Classification, CodecModel, DecodeOptions, StreamCoder, Transcript } from '../codec/index.js';
import type { GpuCodecModel } from '../gpu/index.js';
import { CorruptStreamError, UsageError } from '../tensor/index.js';
import { type BackendArguments, withModel } from './backend.js';
import { verdictLines } from './classify.js';
import { readInput, shortPath } from './files.js';
import { modelPath } from './model.js';
import { EXIT, type ExitCode, forEachInput, given, naming, print, warn } from './run.js';
import { ratesLine, wordLines } from './text.js';

export interface DecodeArguments extends BackendArguments {
  readonly codebooks?: number;
  readonly beam?: number;
  readonly json?: boolean;
}

/** A line about the rates of the codebooks that were used, as if the others had not been sent. */
function usedRates(coder: StreamCoder, bytes: Uint8Array, codebooks: number | undefined): string {
  if (codebooks === undefined) return ratesLine(coder.rates(bytes));
  try {
    return ratesLine(coder.rates(coder.truncate(bytes, codebooks)));
  } catch (error) {
    // What is damaged can't be cut to fewer codebooks.
    if (error instanceof CorruptStreamError) return `${ratesLine(coder.rates(bytes))}, as it arrived`;
    throw error;
  }
}

/** What a stream came to, as it is shown; `result` is the same as JSON. */
interface Decoded {
  readonly result: Transcript | Classification;
  readonly headline: string;
  readonly lines: readonly string[];
}

/** The cloud half of whatever task the model has. */
async function openDecoder(
  model: CodecModel | GpuCodecModel,
  options: DecodeArguments,
): Promise<{ readonly coder: StreamCoder; decode(bytes: Uint8Array): Promise<Decoded> }> {
  const codebooks = given({ codebooks: options.codebooks });
  if (model.config.task === 'recognition') {
    const decoder = await model.cloudDecoder();
    const settings: DecodeOptions = { ...codebooks, ...given({ beam: options.beam }) };
    return {
      coder: decoder.coder,
      async decode(bytes) {
        const result = await decoder.decode(bytes, settings);
        const headline = result.text === '' ? '(nothing was heard)' : result.text;
        return { result, headline, lines: wordLines(result.words) };
      },
    };
  }
  if (options.beam !== undefined) {
    throw new UsageError(`${model.config.name} classifies: there is no beam to search with`);
  }
  const classifier = await model.cloudClassifier();
  return {
    coder: classifier.coder,
    async decode(bytes) {
      const result = await classifier.classify(bytes, codebooks);
      return { result, headline: result.label ?? '(nothing to classify)', lines: verdictLines(result) };
    },
  };
}

/** acom decode: .acom files to words or labels, by the cloud half alone. */
export async function decode(names: readonly string[], options: DecodeArguments): Promise<ExitCode> {
  return withModel(options, (open) =>
    forEachInput(names, ['.acom'], async () => {
      const decoder = await naming(modelPath(options.model), async () => openDecoder(await open(), options));
      return async ({ path }) => {
        const bytes = await readInput(path);
        const { result, headline, lines } = await decoder.decode(bytes);
        if (options.json) print(JSON.stringify({ file: path, ...result }));
        else {
          print(`${shortPath(path)}: ${headline}`, ...lines);
          print(`  ${usedRates(decoder.coder, bytes, options.codebooks)}`);
        }
        for (const warning of result.warnings) warn(shortPath(path), warning);
        for (const { start, end } of result.missing) {
          warn(shortPath(path), `lost from ${start.toFixed(2)} to ${end.toFixed(2)} s`);
        }
        return result.missing.length > 0 || result.warnings.length > 0 ? EXIT.damaged : EXIT.done;
      };
    }),
  );
}
