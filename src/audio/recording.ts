import { FormatError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import { looksLikeFlac, readFlac, readOggFlac } from './flac.js';
import { looksLikeMp3, readMp3 } from './mp3.js';
import { oggCodec, startsWith } from './ogg.js';
import { readOpus } from './opus.js';
import { readVorbis } from './vorbis.js';
import { type Recording, readWav } from './wav.js';

/** What reads each format; all but WAV need an optional package. */
const READERS = {
  WAV: readWav,
  FLAC: readFlac,
  'Ogg FLAC': readOggFlac,
  'Ogg Vorbis': readVorbis,
  'Ogg Opus': readOpus,
  MP3: readMp3,
} as const;

/** Formats of recordings that acom reads. */
export type RecordingFormat = keyof typeof READERS;

/** Which format the bytes of a file are, by what they hold; null where acom reads none such. */
export function recordingFormat(given: Bytes): RecordingFormat | null {
  const bytes = bytesOf('recordingFormat', given);
  if (['RIFF', 'RIFX', 'RF64'].some((magic) => startsWith(bytes, magic))) return 'WAV';
  if (looksLikeFlac(bytes)) return 'FLAC';
  const codec = oggCodec(bytes);
  if (codec !== undefined) return `Ogg ${codec}`;
  return looksLikeMp3(bytes) ? 'MP3' : null;
}

/**
 * Decodes a recording of any format that acom knows, recognised by what it holds: WAV; FLAC, Ogg Vorbis, Ogg Opus,
 * Ogg FLAC and MP3 where the optional package of the format is installed.
 */
export async function readRecording(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readRecording', given);
  const format = recordingFormat(bytes);
  if (format !== null) return READERS[format](bytes);
  if (bytes.length === 0) throw new FormatError('audio', 'the file is empty');
  if (startsWith(bytes, 'OggS')) {
    throw new FormatError('Ogg', 'the first page is damaged, or it holds none of Vorbis, Opus and FLAC');
  }
  throw new FormatError(
    'audio',
    'this is no WAV, FLAC, Ogg Vorbis, Ogg Opus or MP3; convert it, for example: ' +
      'ffmpeg -i input -ac 1 -ar 16000 output.wav',
  );
}
