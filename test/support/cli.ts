/** Runs the command as a user does. */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { samplesFolder } from './commands.js';
import { repository } from './shared.js';

export const main = join(repository, 'dist/src/cli/main.js');
const execute = promisify(execFile);

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function finished(run: Promise<{ stdout: string; stderr: string }>): Promise<Run> {
  try {
    const { stdout, stderr } = await run;
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Run;
    return { code, stdout, stderr };
  }
}

/** The environment without what tap loads into every Node that its tests start, which triples the time that takes. */
export const plainEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_OPTIONS: '' });

/** Runs the command in `folder`. */
export const acom = (folder: string, ...args: string[]): Promise<Run> =>
  finished(execute('node', [main, ...args], { cwd: folder, env: plainEnvironment(), maxBuffer: 1 << 26 }));

/** Runs a line of bash in `folder`, in which `acom` is the command; a pipe fails where a part of it does. */
export const shell = (folder: string, line: string): Promise<Run> =>
  finished(
    execute('bash', ['-o', 'pipefail', '-c', `acom() { node ${main} "$@"; }; ${line}`], {
      cwd: folder,
      env: plainEnvironment(),
    }),
  );

/** Runs the command with bytes on standard input. */
export function piped(
  input: Uint8Array,
  ...args: string[]
): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  return new Promise((done) => {
    const child = spawn('node', [main, ...args], { env: plainEnvironment() });
    const out: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => {
      stderr += part;
    });
    child.on('close', (code) => done({ code, stdout: Buffer.concat(out), stderr }));
    child.stdin.end(input);
  });
}

export const sample = (name: string): string => join(samplesFolder, `${name}.wav`);

/** No message may be a stack trace. */
export const oneLine = (stderr: string): boolean =>
  stderr.trim().split('\n').length === 1 && !/\n\s+at /.test(stderr);

/** Messages without lines of progress, which work gives that takes longer than a moment. */
export const messages = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line.startsWith('acom: '));
