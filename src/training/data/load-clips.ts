/** All samples of some datasets, in memory. */
import { type AcomError, FormatError, SourceError } from '../../tensor/index.js';
import type { Clip, ClipProblem, Dataset } from './dataset.js';
import { alone, defaultCacheFolder } from './files.js';
import { cacheFile, type DecodedClips, readCache, writeCache } from './pcm-cache.js';
import { fromPcm16, loadSamples, toPcm16 } from './samples.js';

export interface LoadOptions {
  /** Samples a second that all clips are brought to. */
  readonly sampleRate: number;
  /** Folder of decoded samples; null: nothing is kept. Default: see `defaultCacheFolder`. */
  readonly cache?: string | null;
  readonly onProgress?: (done: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/** Clips whose samples are there, as 16 bits in one array. */
export class LoadedClips {
  constructor(
    readonly clips: readonly Clip[],
    /** Clips that are missing or damaged: those that their datasets list, and those that decoding found. */
    readonly problems: readonly ClipProblem[],
    readonly sampleRate: number,
    private readonly pcm: Int16Array,
    /** Where each clip begins, and where the last ends, [clips + 1]. */
    private readonly begins: Float64Array,
    /** Why nothing was kept for the next time; undefined where something was, or was not wanted. */
    readonly cacheError: AcomError | undefined,
  ) {}

  get seconds(): number {
    return this.pcm.length / this.sampleRate;
  }

  /** Samples of clip `index`, in an array of their own. */
  samples(index: number): Float32Array<ArrayBuffer> {
    return fromPcm16(this.pcm.subarray(this.begins[index]!, this.begins[index + 1]!));
  }
}

/** What was decoded, and the clips that could not be read just now. */
interface Decoding {
  readonly decoded: DecodedClips;
  readonly unread: readonly ClipProblem[];
  readonly cacheError?: AcomError | undefined;
}

async function decodeAll(clips: readonly Clip[], options: LoadOptions): Promise<Decoding> {
  const parts: Int16Array[] = [];
  const loaded: { clip: number; begin: number; samples: number }[] = [];
  const damaged: { clip: number; why: string }[] = [];
  const unread: ClipProblem[] = [];
  let begin = 0;
  for (const [i, clip] of clips.entries()) {
    options.signal?.throwIfAborted();
    try {
      const pcm = toPcm16(await loadSamples(clip, options.sampleRate));
      parts.push(pcm);
      loaded.push({ clip: i, begin, samples: pcm.length });
      begin += pcm.length;
    } catch (error) {
      if (error instanceof FormatError) {
        damaged.push({ clip: i, why: error.message.slice(`${clip.file}: `.length) });
      } else if (error instanceof SourceError) unread.push({ path: clip.path, error });
      else throw error;
    }
    options.onProgress?.(i + 1, clips.length);
  }
  const pcm = new Int16Array(begin);
  for (const [i, part] of parts.entries()) pcm.set(part, loaded[i]!.begin);
  return { decoded: { pcm, loaded, damaged }, unread };
}

/** Keeps what was decoded; gives the reason where that is not possible. */
async function keep(file: string, { decoded, unread }: Decoding): Promise<AcomError | undefined> {
  // They may be readable the next time.
  if (unread.length > 0)
    return new SourceError(`${file}: not written, ${unread.length} clips cannot be read`);
  try {
    await writeCache(file, decoded);
    return undefined;
  } catch (cause) {
    return new SourceError(`${file}: cannot be written: ${(cause as Error).message}`, cause);
  }
}

/** What the cache file holds; where there is none, one process decodes the clips and writes it, others wait for it. */
async function decodeOnce(file: string, clips: readonly Clip[], options: LoadOptions): Promise<Decoding> {
  const kept = async (): Promise<Decoding | null> => {
    const decoded = await readCache(file);
    return decoded === null ? null : { decoded, unread: [] };
  };
  const make = async (): Promise<Decoding> => {
    const decoding = await decodeAll(clips, options);
    return { ...decoding, cacheError: await keep(file, decoding) };
  };
  return (await kept()) ?? alone(`${file}.lock`, async () => (await kept()) ?? make(), options.signal);
}

/**
 * Decodes the clips of datasets, or takes them from the cache. Clips that cannot be decoded are left out and listed under
 * `problems`; nothing is thrown for them.
 */
export async function loadClips(
  datasets: readonly Pick<Dataset, 'clips' | 'problems'>[],
  options: LoadOptions,
): Promise<LoadedClips> {
  const clips = datasets.flatMap((dataset) => dataset.clips);
  const { cache = defaultCacheFolder(), sampleRate } = options;
  const file = cache === null ? null : await cacheFile(cache, clips, sampleRate);
  const decoding = file === null ? await decodeAll(clips, options) : await decodeOnce(file, clips, options);
  const { pcm, loaded, damaged } = decoding.decoded;
  const problems = [
    ...datasets.flatMap((dataset) => dataset.problems),
    ...decoding.unread,
    ...damaged.map(({ clip, why }) => {
      const { path, file } = clips[clip]!;
      return { path, error: new FormatError(file, why) };
    }),
  ];
  const begins = Float64Array.from([...loaded.map(({ begin }) => begin), pcm.length]);
  return new LoadedClips(
    loaded.map(({ clip }) => clips[clip]!),
    problems,
    sampleRate,
    pcm,
    begins,
    decoding.cacheError,
  );
}
