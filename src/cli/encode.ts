import { withModel } from './backend.js';
import { type BatchArguments, isBatch, runBatch } from './batch.js';
import { type EncodeArguments, openEncoding } from './encoding.js';
import { expandInputs, localPaths, outputName, planOutputs, shortPath } from './files.js';
import { modelPath } from './model.js';
import { showing } from './progress.js';
import { EXIT, type ExitCode, eachInput, naming, report, warn } from './run.js';

/** Extensions under which recordings are found in folders; what a file is shows in its first bytes. */
export const RECORDINGS = ['.wav', '.flac', '.ogg', '.oga', '.opus', '.mp3'];

/** acom encode: recordings to .acom files. */
export async function encode(
  names: readonly string[],
  options: EncodeArguments & BatchArguments,
): Promise<ExitCode> {
  return withModel(options, async (open) => {
    const model = modelPath(options.model);
    const inputs = await expandInputs(names, RECORDINGS);
    const outputs = await planOutputs(inputs, options.output, '.acom', localPaths(model));
    if (isBatch(inputs, options)) {
      return runBatch({ command: 'encode', options }, inputs, outputs, options, open);
    }
    return eachInput(inputs, async () => {
      const work = await naming(model, () => openEncoding(options, open));
      return async ({ path }, index) => {
        const output = outputs[index]!;
        const { facts, line, warnings } = await showing(shortPath(path), 's', (watch) =>
          work(path, output, watch),
        );
        for (const warning of warnings) warn(shortPath(path), warning);
        const text = options.json
          ? JSON.stringify({ input: path, output, ...facts })
          : `${shortPath(path)} -> ${outputName(output)}: ${line}`;
        report([output], text);
        return EXIT.done;
      };
    });
  });
}
