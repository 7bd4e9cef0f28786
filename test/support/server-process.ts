/** Servers in processes of their own, which end by signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { main, plainEnvironment } from './cli.js';
import type { FakeServerOptions } from './server.js';
import { repository } from './shared.js';

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly address: string;
  readonly line: string;
  /** What it wrote to standard error so far. */
  readonly errors: () => string;
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals | null>;
}

function start(
  t: { teardown(work: () => void): void },
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<ServerProcess> {
  const child = spawn('node', args, { env: { ...plainEnvironment(), ...environment } });
  t.teardown(() => {
    child.kill('SIGKILL');
  });
  let errors = '';
  child.stderr.on('data', (part) => {
    errors += part;
  });
  const exit = new Promise<number | NodeJS.Signals | null>((done) => {
    child.on('close', (code, signal) => done(code ?? signal));
  });
  return new Promise((done, failed) => {
    let out = '';
    child.stdout.on('data', (part) => {
      out += part;
      const [line, address] = /^.* at (http:\S+)\n/.exec(out) ?? [];
      if (address !== undefined) done({ child, address, line: line!.trim(), errors: () => errors, exit });
    });
    void exit.then((code) => failed(new Error(`it ended with ${code}: ${errors}`)));
  });
}

/** `acom serve` with the model that ships, at a free port. */
export const serveProcess = (
  t: { teardown(work: () => void): void },
  args: readonly string[],
  environment?: NodeJS.ProcessEnv,
): Promise<ServerProcess> => start(t, [main, 'serve', '--port', '0', ...args], environment);

/** A server with the fake engine. */
export const fakeServerProcess = (
  t: { teardown(work: () => void): void },
  options: FakeServerOptions,
): Promise<ServerProcess> =>
  start(t, [join(repository, 'dist/test/support/fake-server-child.js'), JSON.stringify(options)]);
