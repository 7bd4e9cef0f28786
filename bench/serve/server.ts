/** `acom serve` in a process of its own, and what it takes of the machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../test/support/shared.js';

/** Ticks of /proc in a second. */
const TICKS = 100;
const PAGE_BYTES = 4096;

export class ServerUnderLoad {
  private constructor(
    readonly address: string,
    private readonly child: ChildProcess,
    readonly errors: () => string,
  ) {}

  /** Throws where it does not start. */
  static start(workers: number, limits: Readonly<Record<string, number>>): Promise<ServerUnderLoad> {
    const args = Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`]);
    const child = spawn(
      'node',
      [
        join(repository, 'dist/src/cli/main.js'),
        'serve',
        '--port',
        '0',
        '--workers',
        `${workers}`,
        '--log-level',
        'error',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let [out, errors] = ['', ''];
    child.stderr.on('data', (part) => {
      errors += part;
    });
    return new Promise((done, failed) => {
      child.stdout.on('data', (part) => {
        out += part;
        const [, address] = / at (http:\S+)\n/.exec(out) ?? [];
        if (address !== undefined) done(new ServerUnderLoad(address, child, () => errors));
      });
      child.on('exit', (code) => failed(new Error(`acom serve ended with ${code}: ${errors}`)));
    });
  }

  /** Processor seconds of all its threads so far. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  residentMegabytes(): number {
    const pages = Number(readFileSync(`/proc/${this.child.pid}/statm`, 'utf8').split(' ')[1]);
    return (pages * PAGE_BYTES) / 2 ** 20;
  }

  /** A number of its metrics, summed over labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.address}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((done) => this.child.on('exit', done));
    this.child.kill('SIGTERM');
    return ended;
  }
}
