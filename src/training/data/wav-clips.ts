/** Clips of WAV files as authors publish them: rate and length stand in each file's header. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { locateWavSamples, requireSampleRate } from '../../audio/index.js';
import { FormatError, SourceError } from '../../tensor/index.js';
import { type Clip, type ClipProblem, clipError, type Dataset } from './dataset.js';

/** A clip before its file was looked at. */
export type ListedClip = Omit<Clip, 'file' | 'sampleRate' | 'samples'>;

function readHeader(file: string): { readonly sampleRate: number; readonly samples: number } {
  const descriptor = openSync(file, 'r');
  try {
    const { sampleRate, frames, missingFrames } = locateWavSamples({
      size: fstatSync(descriptor).size,
      read(offset, length) {
        const bytes = new Uint8Array(length);
        return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
      },
    });
    requireSampleRate('the header', sampleRate);
    if (missingFrames > 0) throw new FormatError('WAV', `${missingFrames} samples are missing at the end`);
    if (frames === 0) throw new FormatError('WAV', 'there are no samples in it');
    return { sampleRate, samples: frames };
  } finally {
    closeSync(descriptor);
  }
}

/** Looks at the header of each listed file; those that are missing, cut short or no WAV become problems. */
export function wavDataset(name: string, folder: string, listed: readonly ListedClip[]): Dataset {
  const clips: Clip[] = [];
  const problems: ClipProblem[] = [];
  for (const each of listed) {
    const file = join(folder, ...each.path.split('/'));
    try {
      clips.push({ ...each, file, ...readHeader(file) });
    } catch (error) {
      problems.push({ path: each.path, error: clipError(file, error) });
    }
  }
  return { name, folder, clips, problems };
}

/** Names in a folder, sorted by their characters' numbers: the same order on every machine. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    throw new SourceError(`${folder}: cannot be listed: ${(cause as Error).message}`, cause);
  }
}
