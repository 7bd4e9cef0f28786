import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readRecording, resample } from '../../audio/index.js';
import { MissingPackageError } from '../../tensor/index.js';
import { type Clip, clipError } from './dataset.js';

/** Full scale of 16-bit samples. */
const FULL_SCALE = 32768;

/** Rounds samples in [-1, 1) to 16 bits; what is beyond is clipped. */
export function toPcm16(samples: Float32Array): Int16Array {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < pcm.length; i++) {
    pcm[i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(samples[i]! * FULL_SCALE)));
  }
  return pcm;
}

export function fromPcm16(pcm: Int16Array): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) samples[i] = pcm[i]! / FULL_SCALE;
  return samples;
}

/** SHA-1 of little-endian 16-bit samples. */
export const sha1OfPcm = (pcm: Int16Array): string =>
  createHash('sha1')
    .update(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength))
    .digest('hex');

/**
 * Decodes a clip to mono at `sampleRate`, its own where that is left out. Throws SourceError or FormatError with the file's
 * name where it is missing, cut short, or not what the dataset says (rate, number of samples, SHA-1).
 */
export async function loadSamples(clip: Clip, sampleRate = clip.sampleRate): Promise<Float32Array> {
  const { file } = clip;
  const fail = (why: unknown): never => {
    throw clipError(file, why);
  };
  const found = await readRecording(await readFile(file).catch(fail)).catch((error: unknown) => {
    // Without the package that unpacks it no file can be read; that is not this one's fault.
    throw error instanceof MissingPackageError ? error : clipError(file, error);
  });
  if (found.missingSamples > 0) fail(`the file is cut short: ${found.missingSamples} samples are missing`);
  if (found.sampleRate !== clip.sampleRate) {
    fail(`it has ${found.sampleRate} samples a second, the dataset says ${clip.sampleRate}`);
  }
  if (found.samples.length !== clip.samples) {
    fail(`it has ${found.samples.length} samples, the dataset says ${clip.samples}`);
  }
  if (!found.samples.every(Number.isFinite)) fail('some samples are no numbers');
  if (clip.sha1 !== undefined && sha1OfPcm(toPcm16(found.samples)) !== clip.sha1) {
    fail('the samples are not those that the dataset was made with: their SHA-1 differs');
  }
  return resample(found.samples, found.sampleRate, sampleRate);
}
