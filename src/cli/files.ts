/** Files of the command line: inputs by name, folder, pattern or pipe; outputs that are whole or not there. */
import { randomUUID } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import {
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { glob } from 'tinyglobby';
import { SourceError, UsageError } from '../tensor/index.js';

/** Stands for standard input or output. */
export const PIPE = '-';

/** Standard input and output have names too, which mean the same. */
const STANDARD_INPUT = /^\/(dev\/stdin|(dev|proc\/self)\/fd\/0)$/;
const STANDARD_OUTPUT = /^\/(dev\/stdout|(dev|proc\/self)\/fd\/1)$/;

/** An input and the path that it has below the folder that was named, which outputs keep. */
export interface Input {
  readonly path: string;
  readonly below: string;
  /** Whether this is a pipe or a device: nothing can be written beside it. */
  readonly piped: boolean;
}

/** What arguments come to. */
export interface Inputs {
  readonly files: readonly Input[];
  /** Whether outputs need a folder: several arguments, or a folder or pattern, however many files are in it. */
  readonly several: boolean;
  /** Arguments that name nothing, and why. */
  readonly problems: readonly { readonly name: string; readonly error: unknown }[];
}

/** What is at a path, links followed; null where there is nothing. */
export async function lookUp(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

const isPattern = (name: string): boolean => /[*?[\]{}]/.test(name);

/** Files that one argument names. */
async function expandName(name: string, extensions: readonly string[]): Promise<Input[]> {
  if (name === PIPE || STANDARD_INPUT.test(name)) return [{ path: PIPE, below: PIPE, piped: true }];
  const found = await lookUp(name);
  if (found?.isFile()) return [{ path: name, below: basename(name), piped: false }];
  if (found?.isFIFO() || found?.isCharacterDevice()) {
    return [{ path: name, below: basename(name), piped: true }];
  }
  const about = shortPath(name);
  if (found?.isDirectory()) {
    const wanted = extensions.map((extension) => `**/*${extension}`);
    const paths = (await glob(wanted, { cwd: name, caseSensitiveMatch: false })).sort();
    if (paths.length === 0) {
      throw new SourceError(`${about}: there are no ${extensions.join(', ')} files in this folder`);
    }
    return paths.map((path) => ({ path: join(name, path), below: path, piped: false }));
  }
  if (found !== null) throw new SourceError(`${about}: this is no file, folder or pipe`);
  if (!isPattern(name)) throw new SourceError(`${about}: there is no such file or folder`);
  const paths = (await glob(name.split(sep).join('/'))).sort();
  if (paths.length === 0) throw new SourceError(`${about}: no file matches this pattern`);
  return paths.map((path) => ({ path, below: basename(path), piped: false }));
}

/** Files that arguments name. A folder stands for every file of `extensions` in it, at any depth. */
export async function expandInputs(names: readonly string[], extensions: readonly string[]): Promise<Inputs> {
  const files: Input[] = [];
  const problems: { name: string; error: unknown }[] = [];
  let several = names.length > 1;
  for (const name of names) {
    try {
      const found = await expandName(name, extensions);
      // What comes from a folder or a pattern has another path than the argument.
      several ||= found.some(({ path, piped }) => !piped && path !== name);
      files.push(...found);
    } catch (error) {
      problems.push({ name, error });
    }
  }
  return { files, several, problems };
}

/** As many links as the kernel follows. */
const MOST_LINKS = 40;

/** Where writing to `path` would end up: links are followed, to what is not there yet too. */
async function targetOf(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || links > MOST_LINKS) throw error;
  }
  const link = await readlink(path).catch(() => null);
  if (link !== null) return targetOf(resolve(dirname(path), link), links + 1);
  const folder = dirname(resolve(path));
  return join(await targetOf(folder, links), basename(path));
}

/** A file that a command is about to write, and for what, in words. */
export interface Output {
  readonly path: string;
  readonly of: string;
}

/**
 * Throws where writing `outputs` would lose something: one that is an input, under whatever name, or two that
 * are one file.
 */
export async function requireSafeOutputs(
  inputs: readonly string[],
  outputs: readonly Output[],
): Promise<void> {
  const read = new Set<string>();
  for (const path of inputs) {
    if (path === PIPE) continue;
    read.add(await targetOf(path));
    const found = await lookUp(path);
    if (found?.isFile()) read.add(`${found.dev}:${found.ino}`);
  }
  const seen = new Map<string, string>();
  for (const { path, of } of outputs) {
    const target = path === PIPE ? PIPE : await targetOf(path);
    const found = path === PIPE ? null : await lookUp(path);
    const isInput = read.has(target) || (found !== null && read.has(`${found.dev}:${found.ino}`));
    if (isInput) throw new UsageError(`${path} is an input: writing it would lose it`);
    const other = seen.get(target);
    if (other !== undefined) {
      if (path === PIPE)
        throw new UsageError('several outputs do not fit into one pipe: name files or a folder');
      throw new UsageError(
        `${of} and ${other} would both be written to ${path}: rename one, or give them folders of their own`,
      );
    }
    seen.set(target, of);
  }
}

/** The path of an argument that may be a URL, in a list; none where it is no local file. */
export function localPaths(source: string): string[] {
  if (source.startsWith('file:')) return [fileURLToPath(source)];
  return /^(https?|data|blob):/.test(source) ? [] : [source];
}

/**
 * Where each input's output goes: `output` itself for one input, below the folder `output` for several, beside
 * the input where nothing is said. `alsoRead` are files that must not be written over either.
 */
export async function planOutputs(
  { files, several }: Inputs,
  output: string | undefined,
  extension: string,
  alsoRead: readonly string[],
): Promise<string[]> {
  const renamed = (path: string) => path.slice(0, path.length - extname(path).length) + extension;
  const toPipe = output === PIPE || (output !== undefined && STANDARD_OUTPUT.test(output));
  const place = async ({ path, below, piped }: Input): Promise<string> => {
    if (toPipe) return PIPE;
    if (output === undefined) return piped ? PIPE : renamed(path);
    const folder = several || output.endsWith(sep) || (await lookUp(output))?.isDirectory();
    return folder ? join(output, renamed(below)) : output;
  };
  const outputs = await Promise.all(files.map(place));
  await requireSafeOutputs(
    [...files.map(({ path }) => path), ...alsoRead],
    outputs.map((path, i) => ({ path, of: files[i]!.path })),
  );
  return outputs;
}

/** Most that is read from a pipe, or of a file that is read whole: what one buffer holds everywhere. */
const MOST_BYTES = 2 ** 31 - 1;

const tooLong = (path: string) =>
  new SourceError(
    `${shortPath(path)}: this is more than 2 GiB; only WAV files may be longer, and not through a pipe`,
  );

export async function readInput(path: string): Promise<Uint8Array> {
  const found = path === PIPE ? null : await stat(path);
  if (found?.isFile()) {
    if (found.size > MOST_BYTES) throw tooLong(path);
    return new Uint8Array(await readFile(path));
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of path === PIPE ? process.stdin : createReadStream(path)) {
    parts.push(part as Uint8Array);
    length += (part as Uint8Array).length;
    if (length > MOST_BYTES) throw tooLong(path);
  }
  return new Uint8Array(Buffer.concat(parts));
}

const UNFINISHED = '.part';
/** A file takes a moment to write; what is older was left by a process that ended in between. */
const LEFT_MILLISECONDS = 60_000;

/** Removes what processes that were ended in the middle of writing left in `folder`. */
export async function sweepUnfinished(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.startsWith('.acom-') && each.endsWith(UNFINISHED))) {
    const path = join(folder, name);
    const found = await lookUp(path);
    if (found?.isFile() && Date.now() - found.mtimeMs > LEFT_MILLISECONDS) {
      await unlink(path).catch(() => undefined);
    }
  }
}

/**
 * Writes a file whole: a run that is interrupted leaves what was there before. A link stays a link, and a pipe
 * or a device is written to.
 */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  // The user knows the file by its own name.
  const naming = (error: NodeJS.ErrnoException) => {
    throw Object.assign(error, { path });
  };
  if (path === PIPE) {
    // An error of standard output ends the run where the command began, for whatever is written to it.
    await new Promise<void>((done) => {
      process.stdout.write(bytes, (error) => {
        if (!error) done();
      });
    });
    return;
  }
  const found = await lookUp(path);
  if (found !== null && !found.isFile()) return writeFile(path, bytes).catch(naming);
  const target = await targetOf(path);
  await mkdir(dirname(target), { recursive: true });
  const unfinished = join(dirname(target), `.acom-${randomUUID()}${UNFINISHED}`);
  try {
    await writeFile(unfinished, bytes, { flag: 'wx' });
    await rename(unfinished, target);
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    naming(error as NodeJS.ErrnoException);
  }
}

/** A path that is written to, as a person wants to read it. */
export const outputName = (path: string): string => (path === PIPE ? 'standard output' : shortPath(path));

/** A path as a person wants to read it: relative where that is shorter. */
export function shortPath(path: string): string {
  if (path === PIPE) return 'standard input';
  const fromHere = relative(process.cwd(), path);
  return fromHere !== '' && !fromHere.startsWith('..') && fromHere.length < path.length ? fromHere : path;
}
