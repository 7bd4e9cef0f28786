/** Recordings for the command line: WAV files in blocks, however long; everything else at once. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import {
  decodeWavFrames,
  locateWavSamples,
  type RandomAccess,
  readRecording,
  recordingFormat,
} from '../audio/index.js';
import type { Watch } from './file-result.js';
import { PIPE, readInput, shortPath } from './files.js';
import { showing } from './progress.js';
import { warn } from './run.js';

/** Samples of every channel that are decoded at a time. */
const BLOCK_FRAMES = 1 << 16;

export interface OpenRecording {
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples that are there. */
  readonly samples: number;
  readonly seconds: number;
  /** Samples that the file promises and does not have. */
  readonly missingSamples: number;
  /** Mono samples, block after block. */
  blocks(): Generator<Float32Array>;
  close(): void;
}

function openWav(descriptor: number): OpenRecording {
  const source: RandomAccess = {
    size: fstatSync(descriptor).size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    },
  };
  const layout = locateWavSamples(source);
  const { sampleRate, channels, frames, frameBytes, dataOffset, missingFrames } = layout;
  return {
    sampleRate,
    channels,
    samples: frames,
    seconds: frames / sampleRate,
    missingSamples: missingFrames,
    *blocks() {
      for (let from = 0; from < frames; from += BLOCK_FRAMES) {
        const count = Math.min(BLOCK_FRAMES, frames - from);
        yield decodeWavFrames(layout, source.read(dataOffset + from * frameBytes, count * frameBytes));
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** Whether a path is a regular file, whose bytes can be read in any order and again; a pipe's can't. */
export const isFile = (path: string): boolean => path !== PIPE && statSync(path).isFile();

/** Opens a recording by path, or from standard input. */
export async function openRecording(path: string): Promise<OpenRecording> {
  if (isFile(path)) {
    const descriptor = openSync(path, 'r');
    try {
      const head = new Uint8Array(4);
      readSync(descriptor, head, 0, 4, 0);
      if (recordingFormat(head) === 'WAV') return openWav(descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(descriptor);
  }
  return openRecordingBytes(await readInput(path));
}

/** A recording that is in memory. */
export async function openRecordingBytes(bytes: Uint8Array): Promise<OpenRecording> {
  const { samples, sampleRate, channels, missingSamples } = await readRecording(bytes);
  return {
    sampleRate,
    channels,
    samples: samples.length,
    seconds: samples.length / sampleRate,
    missingSamples,
    *blocks() {
      for (let from = 0; from < samples.length; from += BLOCK_FRAMES)
        yield samples.subarray(from, from + BLOCK_FRAMES);
    },
    close() {},
  };
}

/** A stream that has all of a recording, and what is to be said about the file. */
export interface Fed<S> {
  readonly stream: S;
  readonly warnings: readonly string[];
}

/** Pushes all of a recording into a stream that is made for its sample rate; `watch` hears of seconds. */
export async function feedRecording<S extends { push(samples: Float32Array): void }>(
  path: string,
  start: (sampleRate: number) => S,
  watch?: Watch,
): Promise<Fed<S>> {
  const recording = await openRecording(path);
  try {
    const stream = start(recording.sampleRate);
    let done = 0;
    for (const block of recording.blocks()) {
      stream.push(block);
      done += block.length;
      watch?.(done / recording.sampleRate, recording.seconds);
      // Ctrl-C and messages are heard between blocks, however long the recording is.
      await setImmediate();
    }
    return { stream, warnings: cutWarnings(recording) };
  } finally {
    recording.close();
  }
}

/** The same for a command that works on one recording after another: shows how far it is, and says what is wrong. */
export async function pushRecording<S extends { push(samples: Float32Array): void }>(
  path: string,
  start: (sampleRate: number) => S,
): Promise<S> {
  const { stream, warnings } = await showing(shortPath(path), 's', (watch) =>
    feedRecording(path, start, watch),
  );
  for (const warning of warnings) warn(shortPath(path), warning);
  return stream;
}

const cutWarnings = ({ missingSamples }: OpenRecording): string[] =>
  missingSamples === 0
    ? []
    : [`the file is cut short: ${missingSamples} samples that it promises are missing`];

/** Says so where a file does not have all the samples that it promises. */
export function warnIfCut(path: string, recording: OpenRecording): void {
  for (const warning of cutWarnings(recording)) warn(shortPath(path), warning);
}
