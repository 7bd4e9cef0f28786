import { FormatError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import { looksLikeFlac, readFlac } from './flac.js';
import { type Recording, readWav } from './wav.js';

/** Decodes a recording of any format that acom knows: WAV, and FLAC where its optional package is installed. */
export async function readRecording(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readRecording', given);
  if (looksLikeFlac(bytes)) return readFlac(bytes);
  try {
    return readWav(bytes);
  } catch (error) {
    const riff = bytes.length >= 4 && /^RIF[FX]|^RF64/.test(String.fromCharCode(...bytes.subarray(0, 4)));
    if (riff || bytes.length === 0 || !(error instanceof FormatError)) throw error;
    throw new FormatError(
      'audio',
      'this is neither WAV nor FLAC; convert it, for example: ffmpeg -i input -ac 1 -ar 16000 output.wav',
    );
  }
}
