/**
 * Coders that are made for ears, through Debian's opus-tools and codec2: what is coded with them goes through a folder of
 * temporary files. Where a program is not installed, `through` throws with code ENOENT and the program's name as path.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWav, writeWav } from '../src/audio/index.js';
import { muLaw } from '../src/training/augmentation/index.js';

export interface AudioCoder {
  readonly name: string;
  /** Samples a second that go in and come out. */
  readonly rate: number;
  /** What comes out, and the bytes of the file between. */
  through(samples: Float32Array): { readonly samples: Float32Array; readonly bytes: number };
}

let folder: string | null = null;
/** A file of the folder, which is made when it is first needed. */
function own(name: string): string {
  folder ??= mkdtempSync(join(tmpdir(), 'acom-coders-'));
  return join(folder, name);
}

const opus = (kilobits: number): AudioCoder => ({
  name: `Opus, ${kilobits} kbit/s asked`,
  rate: 16_000,
  through(samples) {
    const [wav, coded, back] = [own('in.wav'), own('x.opus'), own('out.wav')];
    writeFileSync(wav, writeWav(samples, { sampleRate: this.rate }));
    const asked = ['--bitrate', String(kilobits), '--speech', '--padding', '0'];
    execFileSync('opusenc', ['--quiet', ...asked, wav, coded]);
    execFileSync('opusdec', ['--quiet', '--rate', String(this.rate), coded, back]);
    return { samples: readWav(readFileSync(back)).samples, bytes: statSync(coded).size };
  },
});

const codec2 = (mode: string): AudioCoder => ({
  name: `Codec 2, mode ${mode}`,
  rate: 8000,
  through(samples) {
    const [raw, coded, back] = [own('in.raw'), own('x.c2'), own('out.raw')];
    // Its frames of up to 40 ms are whole ones: silence after the end, so that no word is cut.
    const pcm = new Int16Array(samples.length + 0.08 * this.rate);
    samples.forEach((x, n) => {
      pcm[n] = Math.round(32767 * Math.max(-1, Math.min(1, x)));
    });
    writeFileSync(raw, pcm);
    // A name that does not end in .c2 would do without the header; its seven bytes are subtracted instead.
    execFileSync('c2enc', [mode, raw, coded], { stdio: 'ignore' });
    execFileSync('c2dec', [mode, coded, back], { stdio: 'ignore' });
    const bytes = readFileSync(back);
    const heard = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    return { samples: Float32Array.from(heard, (x) => x / 32768), bytes: statSync(coded).size - 7 };
  },
});

const companding: AudioCoder = {
  name: '8-bit mu-law',
  rate: 8000,
  through: (samples) => ({ samples: muLaw(samples), bytes: samples.length }),
};

/** Coders that are made for ears, by falling rates of a kind. */
export const AUDIO_CODERS: readonly AudioCoder[] = [
  companding,
  ...[24, 12, 8, 6].map(opus),
  ...['3200', '1300', '700C', '450'].map(codec2),
];

/** Removes what the coders left. */
export function removeCoderFiles(): void {
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
  folder = null;
}
