import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { kindOf } from '../nn/index.js';
import { wordErrors, wordsOf } from '../tasks/index.js';
import { demoClassifier } from './demo-classifier.js';
import { shortPath, writeOutput } from './files.js';
import { readManifest } from './manifest.js';
import { openHalf, packaged } from './model.js';
import { openRecording } from './recordings.js';
import { EXIT, type ExitCode, print } from './run.js';
import { bitRate, count, seconds } from './text.js';

export interface DemoArguments {
  /** Folder for the .acom files. */
  readonly output: string;
  readonly codebooks?: number;
}

/** acom demo: the bundled samples through the whole path, each half on its own. */
export async function demo({ output, codebooks: wanted }: DemoArguments): Promise<ExitCode> {
  const entries = await readManifest(packaged('weights', 'samples', 'manifest.jsonl'), 'transcript');
  const encoder = await openHalf(undefined, (model) => model.deviceEncoder());
  const { frontEnd, network, splitLayer, quantizer } = encoder.config;
  const codebooks = wanted ?? quantizer.defaultCodebooks;
  const layers = kindOf(network).layers(network);
  const bits = Math.log2(quantizer.codewords);
  print(
    `device: ${frontEnd.sampleRate / 1000} kHz samples -> log-mel -> layers 1..${splitLayer} -> ` +
      `${codebooks} x ${bits} bits, ${encoder.coder.timing.vectorsPerSecond} times a second -> range coder -> .acom`,
    `cloud:  .acom -> codewords -> layer${splitLayer + 1 < layers ? 's' : ''} ${splitLayer + 1}` +
      `${splitLayer + 1 < layers ? `..${layers}` : ''} -> words`,
    '',
  );

  const encoded: { file: string; said: string; milliseconds: number }[] = [];
  for (const { file, said } of entries) {
    const recording = await openRecording(file);
    const blocks = [...recording.blocks()];
    recording.close();
    const start = performance.now();
    const stream = encoder.stream(recording.sampleRate, { codebooks });
    for (const block of blocks) stream.push(block);
    const bytes = stream.finish();
    const milliseconds = performance.now() - start;
    const target = join(output, basename(file).replace(/\.[^.]*$/, '.acom'));
    await writeOutput(target, bytes);
    encoded.push({ file: target, said, milliseconds });
  }

  // The cloud has its own half of the model and the files, nothing else.
  const decoder = await openHalf(undefined, (model) => model.cloudDecoder());
  let [errors, words, bytesInAll, secondsInAll] = [0, 0, 0, 0];
  for (const { file, said, milliseconds } of encoded) {
    const bytes = new Uint8Array(await readFile(file));
    const start = performance.now();
    const { text } = decoder.decode(bytes);
    const took = milliseconds + performance.now() - start;
    const rates = decoder.coder.rates(bytes);
    errors += wordErrors(wordsOf(said), wordsOf(text));
    words += wordsOf(said).length;
    bytesInAll += bytes.length;
    secondsInAll += rates.seconds;
    const bits = `raw ${rates.rawBitRate.toFixed(0)}, entropy ${rates.entropyBitRate.toFixed(0)}`;
    const speed = `${took.toFixed(0)} ms, ${((1000 * rates.seconds) / took).toFixed(0)} x real time`;
    print(
      `${basename(file).padEnd(15)} ${seconds(rates.seconds)}, ${rates.bytes} bytes  ` +
        `${bits}, coded ${bitRate(rates.codedBitRate)}  ${speed}`,
      `  said   ${said}`,
      `  heard  ${text}${text === said ? '' : '   <- not as said'}`,
    );
  }
  const command = process.env['npm_lifecycle_event'] === 'start' ? 'npm run acom --' : 'acom';
  print(
    '',
    `${Math.max(0, words - errors)} of ${words} words right; ${count(bytesInAll)} bytes for ` +
      `${secondsInAll.toFixed(1)} s, ${((8 * bytesInAll) / secondsInAll).toFixed(0)} bit/s with every byte counted. ` +
      `As 16-bit samples: ${count(2 * frontEnd.sampleRate * secondsInAll)} bytes.`,
  );
  // Another model was asked for: then this is about that one.
  if (process.env['ACOM_MODEL'] === undefined) await demoClassifier(output);
  print(
    '',
    `The files are in ${shortPath(output)}; try: ${command} decode ${shortPath(encoded[0]?.file ?? output)}`,
    'raw: 8 bits a codeword. entropy: an ideal coder that knows how often each comes. coded: every byte of the file.',
  );
  return EXIT.done;
}
