/** Recordings that were dropped or chosen: WAV by acom's own reader, all else by the browser. */
import { readWav } from '../audio/wav.js';
import { PageError } from './page-error.js';

/** Mono samples. */
export interface SoundFile {
  readonly samples: Float32Array;
  readonly sampleRate: number;
}

/** Longer files are refused: all samples are in memory at once. */
const MOST_BYTES = 200e6;
const MOST_SECONDS = 1800;
/** Rate at which the browser decodes. */
const DECODED_RATE = 48_000;

const WAV = /^(RIFF|RIFX|RF64)/;

/** Mono samples. Throws PageError. */
export async function readSoundFile(file: Blob, name: string): Promise<SoundFile> {
  if (file.size > MOST_BYTES) {
    throw new PageError(`${name} is larger than ${MOST_BYTES / 1e6} MB: cut it, or use acom encode.`);
  }
  const buffer = await file.arrayBuffer();
  const isWav = WAV.test(String.fromCharCode(...new Uint8Array(buffer, 0, Math.min(4, buffer.byteLength))));
  const recording = await (isWav ? readWavFile(buffer, name) : decode(buffer, name));
  const seconds = recording.samples.length / recording.sampleRate;
  if (seconds === 0) throw new PageError(`${name} has no sound in it.`);
  if (seconds <= MOST_SECONDS) return recording;
  throw new PageError(`${name} is longer than ${MOST_SECONDS / 60} minutes: cut it, or use acom encode.`);
}

async function readWavFile(buffer: ArrayBuffer, name: string): Promise<SoundFile> {
  try {
    return readWav(buffer);
  } catch (error) {
    throw new PageError(`${name} can’t be read: ${(error as Error).message}.`);
  }
}

async function decode(buffer: ArrayBuffer, name: string): Promise<SoundFile> {
  const context = new OfflineAudioContext(1, 1, DECODED_RATE);
  const decoded = await context.decodeAudioData(buffer).catch(() => {
    throw new PageError(
      `${name} is no sound that this browser knows. Use WAV, FLAC, Ogg or MP3; ffmpeg -i input output.wav makes one.`,
    );
  });
  const { numberOfChannels, length, sampleRate } = decoded;
  const samples = new Float32Array(length);
  for (let channel = 0; channel < numberOfChannels; channel++) {
    const data = decoded.getChannelData(channel);
    for (let i = 0; i < length; i++) samples[i]! += data[i]! / numberOfChannels;
  }
  return { samples, sampleRate };
}
