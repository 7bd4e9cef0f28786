/** The files of a published model: a folder with agreed names. */
import { type ByteSource, byteSource, type Checkpoint, openCheckpoint } from '../checkpoints/index.js';
import { FormatError, SourceError } from '../tensor/index.js';

/** Opens a file by its name; null where there is none. */
export type OpenFile = (name: string) => Promise<ByteSource | null>;

/** Files of a folder (Node) or below a URL that ends with a slash. */
export function filesOf(folder: string | URL): OpenFile {
  const base = String(folder).replace(/\/*$/, '/');
  return async (name) => {
    try {
      return await byteSource(
        folder instanceof URL || /^https?:/.test(base) ? new URL(name, base) : base + name,
      );
    } catch (error) {
      if (error instanceof SourceError && /no such file|answered 404/.test(error.message)) return null;
      throw error;
    }
  };
}

/** The first of `names` that is there. Throws SourceError where none is. */
export async function requireFile(open: OpenFile, names: readonly string[]): Promise<ByteSource> {
  for (const name of names) {
    const source = await open(name);
    if (source !== null) return source;
  }
  throw new SourceError(
    `${names.join(' or ')}: there is no such file; weights/README.md says which files to download`,
  );
}

export const requireCheckpoint = async (open: OpenFile, names: readonly string[]): Promise<Checkpoint> =>
  openCheckpoint(await requireFile(open, names));

/** Longest text that is read. */
const MOST_TEXT = 1 << 22;

/** A text file, or null where there is none. */
export async function readText(open: OpenFile, name: string): Promise<string | null> {
  const source = await open(name);
  if (source === null) return null;
  if (source.size > MOST_TEXT)
    throw new FormatError(name, `it has ${source.size} bytes; at most ${MOST_TEXT} are read`);
  return new TextDecoder().decode(await source.read(0, source.size));
}

/**
 * Numbers that stand by themselves at the top of SpeechBrain's hyperparams.yaml (`n_fft: 512`): all that is taken of it.
 * The rest names Python classes.
 */
export function numbersOfYaml(text: string | null): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [, name, value] of (text ?? '').matchAll(/^(\w+):[ \t]*(-?\d+(?:\.\d+)?)[ \t]*(?:#.*)?$/gm)) {
    found.set(name!, Number(value));
  }
  return found;
}
