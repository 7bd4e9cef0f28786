import { loadCodecModel } from '../codec/index.js';
import { crcText } from '../codec/model-file.js';
import { concatenate } from '../tensor/index.js';
import { recodeModel } from '../training/export.js';
import { localPaths, readInput, requireSafeOutputs, writeOutput } from './files.js';
import { eachRecording, recordingsOf } from './fit.js';
import { EXIT, type ExitCode, naming, report } from './run.js';
import { count } from './text.js';

/** acom model recode: how a codec model's codewords are coded, learned anew from recordings. */
export async function recode(
  model: string,
  names: readonly string[],
  { output }: { readonly output: string },
): Promise<ExitCode> {
  const recordings = await recordingsOf(names);
  await requireSafeOutputs([...localPaths(model), ...recordings], [{ path: output, of: 'the codec model' }]);
  const exporter = await naming(model, async () => recodeModel(await readInput(model)));
  await eachRecording(recordings, 'recode', (recording) => {
    exporter.count(concatenate([...recording.blocks()]), recording.sampleRate);
  });
  const bytes = exporter.finish();
  await writeOutput(output, bytes);
  const { config, coder } = await (await loadCodecModel(bytes)).deviceEncoder();
  report(
    [output],
    `${output}: ${count(bytes.length)} bytes, ${config.name}, fingerprint ${crcText(coder.fingerprint)}, coding ${coder.coding} from ` +
      `${count(exporter.vectors)} vectors of ${count(recordings.length)} recordings`,
  );
  return EXIT.done;
}
