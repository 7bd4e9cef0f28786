/** The files of a published model: a folder with agreed names. */
import { type ByteSource, byteSource, type Checkpoint, openCheckpoint } from '../checkpoints/index.js';
import { AcomError, FormatError, ModelError, SourceError } from '../tensor/index.js';

/** Opens a file by its name; null where there is none. */
export type OpenFile = (name: string) => Promise<ByteSource | null>;

/** Files of a folder (Node) or below a URL. */
export function filesOf(folder: string | URL): OpenFile {
  const base = String(folder).replace(/\/*$/, '/');
  return async (name) => {
    try {
      return await byteSource(base + name);
    } catch (error) {
      if (error instanceof SourceError && error.isMissing) return null;
      throw error;
    }
  };
}

/** Does work that is about one file of several, and has its errors name that file; `path` is what they may call it. */
export async function about<T>(file: string, work: () => Promise<T>, path = file): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AcomError && ![file, path].some((name) => error.message.startsWith(`${name}:`))) {
      error.message = `${file}: ${error.message}`;
    }
    throw error;
  }
}

/** The bytes of a whole file. Throws FormatError where it is longer than `most`. */
async function bytesOf(file: string, source: ByteSource, most: number): Promise<Uint8Array> {
  if (source.size > most)
    throw new FormatError(file, `it has ${source.size} bytes; at most ${most} are read`);
  return source.read(0, source.size);
}

/** Longest text, and longest tokenizer, that is read. */
const MOST_BYTES = 1 << 26;

/** A small file, or null where there is none. */
export async function readSmall(open: OpenFile, file: string): Promise<Uint8Array | null> {
  const source = await open(file);
  return source === null ? null : bytesOf(file, source, MOST_BYTES);
}

/** A text file, or null where there is none. */
export async function readText(open: OpenFile, file: string): Promise<string | null> {
  const bytes = await readSmall(open, file);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

/** A checkpoint that names its file in errors. */
export interface PublishedCheckpoint extends Checkpoint {
  readonly file: string;
}

export async function openNamed(file: string, source: ByteSource): Promise<PublishedCheckpoint> {
  const named = <T>(work: () => Promise<T>): Promise<T> => about(file, work, source.name);
  const checkpoint = await named(() => openCheckpoint(source));
  return {
    ...checkpoint,
    file,
    read: (name) => named(() => checkpoint.read(name)),
    readAll: (names) => named(() => checkpoint.readAll(names)),
  };
}

/** The first of `files` that is there. Throws SourceError where none is. */
export async function requireCheckpoint(
  open: OpenFile,
  files: readonly string[],
): Promise<PublishedCheckpoint> {
  for (const file of files) {
    const source = await open(file);
    if (source !== null) return openNamed(file, source);
  }
  throw new SourceError(
    `${files.join(' or ')}: there is no such file; weights/README.md says which to download`,
  );
}

/**
 * The shape of a tensor, on which a configuration depends. Throws ModelError where it has not `axes` axes, or is missing:
 * then the file is no `model`, in words.
 */
export function shapeOf(
  { tensors, file }: PublishedCheckpoint,
  name: string,
  axes: number,
  model: string,
): readonly number[] {
  const found = tensors.get(name)?.shape;
  if (found?.length === axes) return found;
  const why =
    found === undefined
      ? `there is no tensor ${name}`
      : `${name} has shape [${found.join(', ')}], expected ${axes} axes`;
  throw new ModelError(`${file}: ${why}: this is no ${model}`);
}

/** How many numbers there are from `first` on so that a tensor `nameOf(number)` is there. */
export function countOf({ tensors }: Checkpoint, nameOf: (number: number) => string, first = 0): number {
  let count = 0;
  while (tensors.has(nameOf(first + count))) count++;
  return count;
}
