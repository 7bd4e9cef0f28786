import type { EncodeOptions } from '../codec/index.js';
import { localPaths, PIPE, planOutputs, shortPath, writeOutput } from './files.js';
import { modelPath, openHalf } from './model.js';
import { pushRecording } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, given, report } from './run.js';
import { ratesLine } from './text.js';

/** Extensions under which recordings are found in folders; what a file is shows in its first bytes. */
export const RECORDINGS = ['.wav', '.flac', '.ogg', '.oga', '.opus', '.mp3'];

export interface EncodeArguments {
  readonly output?: string;
  readonly codebooks?: number;
  readonly packet?: number;
  readonly model?: string;
  readonly json?: boolean;
}

/** acom encode: recordings to .acom files. */
export async function encode(names: readonly string[], options: EncodeArguments): Promise<ExitCode> {
  return forEachInput(names, RECORDINGS, async (inputs) => {
    const outputs = await planOutputs(inputs, options.output, '.acom', localPaths(modelPath(options.model)));
    const encoder = await openHalf(options.model, (model) => model.deviceEncoder());
    const settings: EncodeOptions = given({ codebooks: options.codebooks, packetSeconds: options.packet });
    return async ({ path }, index) => {
      const stream = await pushRecording(path, (sampleRate) => encoder.stream(sampleRate, settings));
      const bytes = stream.finish();
      const output = outputs[index]!;
      await writeOutput(output, bytes);
      const rates = encoder.coder.rates(bytes);
      const line = options.json
        ? JSON.stringify({ input: path, output, ...rates })
        : `${shortPath(path)} -> ${output === PIPE ? 'standard output' : shortPath(output)}: ${ratesLine(rates)}`;
      report([output], line);
      return EXIT.done;
    };
  });
}
