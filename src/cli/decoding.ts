/** One .acom file to words or a label: the work of `acom decode`. */
import type { Classification, CodecModel, DecodeOptions, StreamCoder, Transcript } from '../codec/index.js';
import type { GpuCodecModel } from '../gpu/index.js';
import { CorruptStreamError, UsageError } from '../tensor/index.js';
import type { BackendArguments } from './backend.js';
import type { FileWork } from './file-result.js';
import { readInput, writeOutput } from './files.js';
import { EXIT, type ExitCode, given } from './run.js';
import { ratesLine, verdictLines, wordLines } from './text.js';

export interface DecodeArguments extends BackendArguments {
  readonly codebooks?: number;
  readonly beam?: number;
  readonly json?: boolean;
}

/** What a stream came to; `result` is the same as JSON. */
interface Heard {
  readonly result: Transcript | Classification;
  /** The words or the label; empty where nothing was heard. */
  readonly text: string;
  readonly headline: string;
  readonly lines: readonly string[];
}

/** The same of a file. */
export interface Decoded extends Heard {
  readonly rates: string;
  /** What is wrong with the stream, or lost of it. */
  readonly warnings: readonly string[];
  readonly code: ExitCode;
}

export interface Decoding {
  /** Reads and decodes a file or a pipe. */
  read(path: string): Promise<Decoded>;
  /** The same into a file: the words on a line, or with `json` everything on one. */
  readonly work: FileWork;
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

/** The cloud half of whatever task the model has. */
async function openHearing(
  model: CodecModel | GpuCodecModel,
  options: DecodeArguments,
): Promise<{ readonly coder: StreamCoder; hear(bytes: Uint8Array): Promise<Heard> }> {
  const codebooks = given({ codebooks: options.codebooks });
  if (model.config.task === 'recognition') {
    const decoder = await model.cloudDecoder();
    const settings: DecodeOptions = { ...codebooks, ...given({ beam: options.beam }) };
    return {
      coder: decoder.coder,
      async hear(bytes) {
        const result = await decoder.decode(bytes, settings);
        const { text, words } = result;
        return {
          result,
          text,
          headline: text === '' ? '(nothing was heard)' : text,
          lines: wordLines(words),
        };
      },
    };
  }
  if (options.beam !== undefined) {
    throw new UsageError(`${model.config.name} classifies: there is no beam to search with`);
  }
  const classifier = await model.cloudClassifier();
  return {
    coder: classifier.coder,
    async hear(bytes) {
      const result = await classifier.classify(bytes, codebooks);
      const { label } = result;
      return {
        result,
        text: label ?? '',
        headline: label ?? '(nothing to classify)',
        lines: verdictLines(result),
      };
    },
  };
}

/** Opens the cloud half. */
export async function openDecoding(
  options: DecodeArguments,
  open: () => Promise<CodecModel | GpuCodecModel>,
): Promise<Decoding> {
  const hearing = await openHearing(await open(), options);
  const read = async (path: string): Promise<Decoded> => {
    const bytes = await readInput(path);
    const heard = await hearing.hear(bytes);
    const { warnings, missing } = heard.result;
    const lost = missing.map(({ start, end }) => `lost from ${start.toFixed(2)} to ${end.toFixed(2)} s`);
    const all = [...warnings, ...lost];
    return {
      ...heard,
      rates: usedRates(hearing.coder, bytes, options.codebooks),
      warnings: all,
      code: all.length > 0 ? EXIT.damaged : EXIT.done,
    };
  };
  return {
    read,
    async work(path, output) {
      const { result, text, headline, warnings, code } = await read(path);
      const written = options.json ? JSON.stringify({ file: path, ...result }) : text;
      await writeOutput(output, new TextEncoder().encode(`${written}\n`));
      const facts = 'text' in result ? { text: result.text } : { label: result.label };
      return { facts, line: headline, warnings, code };
    },
  };
}
