/**
 * Decoded recordings in one file: a safetensors file with all samples, 16 bits, one after another [N], and in its metadata
 * where each clip begins, what could not be decoded, and a SHA-1 of the samples. Reading it takes a fraction of a second
 * where decoding thousands of files takes minutes.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../../checkpoints/index.js';
import type { Clip } from './dataset.js';
import { writeWhole } from './files.js';
import { sha1OfPcm } from './samples.js';

/** Changes with what is stored or how it is computed. */
const VERSION = 1;
const SAMPLES = 'pcm';

/** What decoding some clips came to; clips by their number. */
export interface DecodedClips {
  readonly pcm: Int16Array;
  readonly loaded: readonly { readonly clip: number; readonly begin: number; readonly samples: number }[];
  /** Damaged ones, and what is wrong with them. */
  readonly damaged: readonly { readonly clip: number; readonly why: string }[];
}

/** Names the file for these clips at this rate: any change of a file or of what is said about it gives another name. */
export async function cacheFile(folder: string, clips: readonly Clip[], sampleRate: number): Promise<string> {
  const hash = createHash('sha1').update(`${VERSION} ${sampleRate}\n`);
  for (const { file, samples, sampleRate: rate, sha1 } of clips) {
    const found = await stat(file).catch(() => null);
    hash.update(`${JSON.stringify([file, samples, rate, sha1 ?? null, found?.size, found?.mtimeMs])}\n`);
  }
  return join(folder, `clips-${sampleRate}-${hash.digest('hex')}.safetensors`);
}

/** What the cache holds; null where there is nothing or it is damaged. */
export async function readCache(file: string): Promise<DecodedClips | null> {
  try {
    const { tensors, metadata } = readSafetensors(await readFile(file));
    const pcm = tensors.get(SAMPLES)?.data;
    const { loaded, damaged } = JSON.parse(metadata.get('clips') ?? '') as Omit<DecodedClips, 'pcm'>;
    if (!(pcm instanceof Int16Array) || sha1OfPcm(pcm) !== metadata.get('sha1')) return null;
    return { pcm, loaded, damaged };
  } catch {
    return null;
  }
}

export async function writeCache(file: string, { pcm, loaded, damaged }: DecodedClips): Promise<void> {
  const metadata = { clips: JSON.stringify({ loaded, damaged }), sha1: sha1OfPcm(pcm) };
  await writeWhole(
    file,
    writeSafetensors(new Map([[SAMPLES, { data: pcm, shape: [pcm.length] }]]), metadata),
  );
}
