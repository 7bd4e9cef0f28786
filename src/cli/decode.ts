import { withModel } from './backend.js';
import { type BatchArguments, isBatch, runBatch } from './batch.js';
import { type DecodeArguments, openDecoding } from './decoding.js';
import { expandInputs, localPaths, outputName, planOutputs, shortPath } from './files.js';
import { modelPath } from './model.js';
import { type ExitCode, eachInput, naming, print, report, warn } from './run.js';

/** acom decode: .acom files to words or labels, by the cloud half alone. */
export async function decode(
  names: readonly string[],
  options: DecodeArguments & BatchArguments,
): Promise<ExitCode> {
  return withModel(options, async (open) => {
    const model = modelPath(options.model);
    const inputs = await expandInputs(names, ['.acom']);
    // Without -o nothing is written but standard output.
    const extension = options.json ? '.json' : '.txt';
    const outputs =
      options.output === undefined
        ? null
        : await planOutputs(inputs, options.output, extension, localPaths(model));
    if (isBatch(inputs, options)) {
      return runBatch({ command: 'decode', options }, inputs, outputs ?? [], options, open);
    }
    return eachInput(inputs, async () => {
      const decoding = await naming(model, () => openDecoding(options, open));
      return async ({ path }, index) => {
        const about = shortPath(path);
        const output = outputs?.[index];
        if (output !== undefined) {
          const { line, facts, warnings, code } = await decoding.work(path, output);
          const text = options.json
            ? JSON.stringify({ input: path, output, ...facts })
            : `${about} -> ${outputName(output)}: ${line}`;
          report([output], text);
          for (const warning of warnings) warn(about, warning);
          return code;
        }
        const { result, headline, lines, rates, warnings, code } = await decoding.read(path);
        if (options.json) print(JSON.stringify({ file: path, ...result }));
        else print(`${about}: ${headline}`, ...lines, `  ${rates}`);
        for (const warning of warnings) warn(about, warning);
        return code;
      };
    });
  });
}
