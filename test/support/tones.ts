/** Sounds from which test/fixtures/audio was made, by formula; run with a folder, this writes them there as WAV. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { readWav, writeWav } from '../../src/audio/index.js';
import { repository } from './shared.js';

export interface Sound {
  readonly sampleRate: number;
  /** Samples of each channel. */
  readonly channels: readonly Float32Array[];
}

/** `length` samples of a tone that rises from `hertz` by a half, faded in and out over 20 ms. */
function tone(sampleRate: number, length: number, hertz: number, level: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const t = i / sampleRate;
    const fade = Math.min(1, t / 0.02, (length - 1 - i) / sampleRate / 0.02);
    return level * fade * Math.sin(2 * Math.PI * hertz * t * (1 + (0.25 * i) / length));
  });
}

/** Samples of `channels` tones, each a fifth above the last and quieter. */
const tones = (sampleRate: number, length: number, channels: number): Sound => ({
  sampleRate,
  channels: Array.from({ length: channels }, (_, c) =>
    tone(sampleRate, length, 300 * 1.5 ** c, 0.5 * 0.8 ** c),
  ),
});

function speech(length: number): Sound {
  const { samples, sampleRate } = readWav(readFileSync(join(repository, 'weights/samples/digits.wav')));
  return { sampleRate, channels: [samples.slice(4000, 4000 + length)] };
}

/** Lengths that are no multiple of anything. */
export const SOUNDS = {
  'speech-8k': speech(9973),
  'tone-16k': tones(16_000, 12_007, 1),
  'tones-44k': tones(44_100, 22_051, 2),
  'tones-48k': tones(48_000, 24_007, 2),
  'tones-48k-6': tones(48_000, 9_601, 6),
} as const;
export type SoundName = keyof typeof SOUNDS;

/** The average of the channels. */
export function monoOf({ channels }: Sound): Float32Array {
  const average = (i: number) => channels.reduce((sum, channel) => sum + channel[i]!, 0) / channels.length;
  return Float32Array.from(channels[0]!, (_, i) => average(i));
}

/** A WAV file of 16 bits with every channel. */
function wavOf({ sampleRate, channels }: Sound): Uint8Array {
  const frames = channels[0]!.length;
  const interleaved = Float32Array.from(
    { length: frames * channels.length },
    (_, i) => channels[i % channels.length]![Math.floor(i / channels.length)]!,
  );
  const bytes = writeWav(interleaved, { sampleRate });
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  header.setUint16(22, channels.length, true);
  header.setUint32(28, 2 * channels.length * sampleRate, true);
  header.setUint16(32, 2 * channels.length, true);
  return bytes;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, sound] of Object.entries(SOUNDS)) {
    writeFileSync(join(argv[2] ?? '.', `${name}.wav`), wavOf(sound));
  }
}
