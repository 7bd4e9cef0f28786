import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeOutput } from './files.js';
import { readManifest } from './manifest.js';
import { openHalf, packaged } from './model.js';
import { openRecording } from './recordings.js';
import { print } from './run.js';
import { bitRate } from './text.js';

/** The classifier's part of the demo: the bundled keywords, each half on its own. */
export async function demoClassifier(output: string): Promise<void> {
  const model = packaged('weights', 'keywords.safetensors');
  const entries = await readManifest(packaged('weights', 'keyword-samples', 'manifest.jsonl'), 'label');
  const encoder = await openHalf(model, (codec) => codec.deviceEncoder());
  const sent: { file: string; said: string }[] = [];
  for (const { file, said } of entries) {
    const recording = await openRecording(file);
    const stream = encoder.stream(recording.sampleRate);
    for (const block of recording.blocks()) stream.push(block);
    recording.close();
    const target = join(output, `keyword-${basename(file).replace(/\.[^.]*$/, '.acom')}`);
    await writeOutput(target, stream.finish());
    sent.push({ file: target, said });
  }
  const { labels } = encoder.config;
  print('', `Another model, a classifier of clips of one second: ${labels.join(' ')}`);
  const classifier = await openHalf(model, (codec) => codec.cloudClassifier());
  for (const { file, said } of sent) {
    const bytes = new Uint8Array(await readFile(file));
    const { label, confidence } = classifier.classify(bytes);
    const { codedBitRate } = classifier.coder.rates(bytes);
    print(
      `${basename(file).padEnd(18)} ${bytes.length} bytes, coded ${bitRate(codedBitRate)}: ${label} ` +
        `${confidence.toFixed(2)}${label === said ? '' : `   <- is ${said}`}`,
    );
  }
}
