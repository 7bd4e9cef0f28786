import type { Coding } from '../bitstream/index.js';
import type { EncodeOptions } from '../codec/index.js';
import { type BackendArguments, withModel } from './backend.js';
import { localPaths, PIPE, planOutputs, shortPath, writeOutput } from './files.js';
import { modelPath } from './model.js';
import { pushRecording } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, given, naming, report } from './run.js';
import { ratesLine } from './text.js';

/** Extensions under which recordings are found in folders; what a file is shows in its first bytes. */
export const RECORDINGS = ['.wav', '.flac', '.ogg', '.oga', '.opus', '.mp3'];

export interface EncodeArguments extends BackendArguments {
  readonly output?: string;
  readonly codebooks?: number;
  readonly packet?: number;
  readonly bitRate?: number;
  readonly coding?: string;
  readonly json?: boolean;
}

/** acom encode: recordings to .acom files. */
export async function encode(names: readonly string[], options: EncodeArguments): Promise<ExitCode> {
  return withModel(options, (open) =>
    forEachInput(names, RECORDINGS, async (inputs) => {
      const outputs = await planOutputs(
        inputs,
        options.output,
        '.acom',
        localPaths(modelPath(options.model)),
      );
      const encoder = await naming(modelPath(options.model), async () => (await open()).deviceEncoder());
      const settings: EncodeOptions = given({
        codebooks: options.codebooks,
        packetSeconds: options.packet,
        targetBitRate: options.bitRate,
        // What is none is refused with the names of those that are.
        coding: options.coding as Coding | undefined,
      });
      return async ({ path }, index) => {
        const stream = await pushRecording(path, (sampleRate) => encoder.stream(sampleRate, settings));
        const bytes = await stream.finish();
        const output = outputs[index]!;
        await writeOutput(output, bytes);
        const rates = encoder.coder.rates(bytes);
        const line = options.json
          ? JSON.stringify({ input: path, output, ...rates })
          : `${shortPath(path)} -> ${output === PIPE ? 'standard output' : shortPath(output)}: ${ratesLine(rates)}`;
        report([output], line);
        return EXIT.done;
      };
    }),
  );
}
