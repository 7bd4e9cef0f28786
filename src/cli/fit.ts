import { loadCodecModel } from '../codec/index.js';
import { crcText } from '../codec/model-file.js';
import { UsageError } from '../tensor/index.js';
import { type FitCodecOptions, fitCodec } from '../training/fit-codec.js';
import { RECORDINGS } from './encode.js';
import { expandInputs, localPaths, requireSafeOutputs, shortPath, writeOutput } from './files.js';
import { readManifest } from './manifest.js';
import { type Progress, startProgress } from './progress.js';
import { type OpenRecording, openRecording, warnIfCut } from './recordings.js';
import { EXIT, type ExitCode, given, naming, report } from './run.js';
import { count } from './text.js';

export interface FitArguments {
  readonly output: string;
  readonly layer: number;
  readonly codebooks: number;
  readonly codewords: number;
  readonly pooling?: number;
  readonly per?: string;
  readonly groups?: number;
  readonly name?: string;
  readonly seed?: number;
  readonly metric?: string;
}

const isManifest = (name: string): boolean => name.endsWith('.jsonl');

/** Recordings that arguments name: files, folders, patterns, and those of manifests (.jsonl). */
export async function recordingsOf(names: readonly string[]): Promise<string[]> {
  const { files, problems } = await expandInputs(
    names.filter((name) => !isManifest(name)),
    RECORDINGS,
  );
  // One that is missing ends the run: the codebooks would be others.
  for (const { error } of problems) throw error;
  const listed = await Promise.all(names.filter(isManifest).map((manifest) => readManifest(manifest, null)));
  return [...files.map(({ path }) => path), ...listed.flat().map(({ file }) => file)];
}

/** Opens recordings one after another under a progress bar. */
export async function eachRecording(
  paths: readonly string[],
  label: string,
  use: (recording: OpenRecording) => void,
): Promise<void> {
  const progress = startProgress(label, paths.length, 'recordings');
  try {
    for (const [i, path] of paths.entries()) {
      await naming(shortPath(path), async () => {
        const recording = await openRecording(path);
        warnIfCut(path, recording);
        try {
          use(recording);
        } finally {
          recording.close();
        }
      });
      progress.update(i + 1);
    }
  } finally {
    progress.stop();
  }
}

/** acom model fit: codebooks for a network, from recordings. */
export async function fitModel(
  network: string,
  names: readonly string[],
  options: FitArguments,
): Promise<ExitCode> {
  const { output, layer, codebooks, codewords, pooling, per, groups, name, seed, metric } = options;
  if (per !== undefined && per !== 'step' && per !== 'position') {
    throw new UsageError(`--per is ${per}; use step or position`);
  }
  if (metric !== undefined && metric !== 'plain' && metric !== 'reader') {
    throw new UsageError(`--metric is ${metric}; use plain or reader`);
  }
  const recordings = await recordingsOf(names);
  await requireSafeOutputs(
    [...localPaths(network), ...names.filter(isManifest), ...recordings],
    [{ path: output, of: 'the codec model' }],
  );
  // A terminal has room for one bar: this one comes when the other is done.
  let rounds: Progress | undefined;
  const settings: FitCodecOptions = {
    splitLayer: layer,
    codebooks,
    codewords,
    ...given({ pooling, vectors: per, groups, name, seed, metric }),
    onRound: (stage) => rounds?.update(stage),
  };
  const fitter = await naming(network, () => fitCodec(network, settings));
  await eachRecording(recordings, 'fit', (recording) => {
    const stream = fitter.stream(recording.sampleRate);
    for (const block of recording.blocks()) stream.push(block);
    stream.finish();
  });
  rounds = startProgress('k-means', codebooks * (groups ?? 1), 'codebooks');
  let model: Uint8Array;
  try {
    model = fitter.finish();
  } finally {
    rounds.stop();
  }
  await writeOutput(output, model);
  const { config, fingerprint } = await loadCodecModel(model);
  report(
    [output],
    `${output}: ${count(model.length)} bytes, ${config.name}, fingerprint ${crcText(fingerprint)}, codebooks of ` +
      `${count(fitter.vectors)} vectors from ${count(recordings.length)} recordings`,
  );
  return EXIT.done;
}
