/** Files of the command line: inputs by name, folder, pattern or pipe; outputs that are whole or not there. */
import { mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import { UsageError } from '../tensor/index.js';

/** Stands for standard input or output. */
export const PIPE = '-';

/** An input and the path that it has below the folder that was named, which outputs keep. */
export interface Input {
  readonly path: string;
  readonly below: string;
}

const exists = (path: string) =>
  stat(path).then(
    (found) => found,
    () => null,
  );

/** Files that arguments name. A folder stands for every file of `extensions` in it, at any depth. */
export async function expandInputs(
  names: readonly string[],
  extensions: readonly string[],
): Promise<Input[]> {
  const inputs: Input[] = [];
  const wanted = extensions.map((extension) => `**/*${extension}`);
  for (const name of names) {
    const found = name === PIPE ? null : await exists(name);
    if (name === PIPE || found?.isFile()) {
      inputs.push({ path: name, below: basename(name) });
    } else if (found?.isDirectory()) {
      const paths = (await glob(wanted, { cwd: name, caseSensitiveMatch: false })).sort();
      if (paths.length === 0)
        throw new UsageError(`${name}: there are no ${extensions.join(' or ')} files in this folder`);
      inputs.push(...paths.map((path) => ({ path: join(name, path), below: path })));
    } else if (/[*?[\]{}]/.test(name)) {
      const paths = (await glob(name.split(sep).join('/'))).sort();
      if (paths.length === 0) throw new UsageError(`${name}: no file matches this pattern`);
      inputs.push(...paths.map((path) => ({ path, below: basename(path) })));
    } else {
      throw new UsageError(`${name}: there is no such file or folder`);
    }
  }
  return inputs;
}

/** Where each input's output goes: `output` itself for one input, below the folder `output` for several. */
export async function planOutputs(
  inputs: readonly Input[],
  output: string | undefined,
  extension: string,
): Promise<string[]> {
  const renamed = (path: string) => path.slice(0, path.length - extname(path).length) + extension;
  const folder =
    output !== undefined &&
    output !== PIPE &&
    (output.endsWith(sep) || (await exists(output))?.isDirectory());
  const outputs = inputs.map(({ path, below }) => {
    if (output === undefined) return path === PIPE ? PIPE : renamed(path);
    return inputs.length > 1 || folder ? join(output, renamed(below)) : output;
  });
  if (output === PIPE && inputs.length > 1)
    throw new UsageError('several inputs do not fit into one pipe: name a folder with -o');
  const seen = new Map<string, string>();
  for (const [i, path] of outputs.entries()) {
    if (path === PIPE) continue;
    const input = inputs[i]!.path;
    const other = seen.get(resolve(path));
    if (other !== undefined) throw new UsageError(`${input} and ${other} would both be written to ${path}`);
    if (inputs.some((each) => each.path !== PIPE && resolve(each.path) === resolve(path))) {
      throw new UsageError(`${path} is an input: writing it would lose it`);
    }
    seen.set(resolve(path), input);
  }
  return outputs;
}

async function readPipe(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of process.stdin) parts.push(part as Uint8Array);
  return new Uint8Array(Buffer.concat(parts));
}

export async function readInput(path: string): Promise<Uint8Array> {
  return path === PIPE ? readPipe() : new Uint8Array(await readFile(path));
}

/** Writes a file whole: a run that is interrupted leaves what was there before. */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  if (path === PIPE) {
    await new Promise<void>((done, failed) => {
      process.stdout.write(bytes, (error) => (error ? failed(error) : done()));
    });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}.part`;
  try {
    await writeFile(unfinished, bytes);
    await rename(unfinished, path);
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    throw error;
  }
}

/** A path as a person wants to read it: relative where that is shorter. */
export function shortPath(path: string): string {
  if (path === PIPE) return 'standard input';
  const fromHere = relative(process.cwd(), path);
  return fromHere !== '' && !fromHere.startsWith('..') && fromHere.length < path.length ? fromHere : path;
}
