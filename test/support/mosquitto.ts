/** A broker of its own for a test: mosquitto on a free port of this machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'mqtt';
import { main, plainEnvironment } from './cli.js';

/** Debian has it where only root looks. */
const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync) ?? 'mosquitto';

/** For tap's `skip`: false where there is a broker, else the reason. */
export const noMosquitto = (): false | string =>
  spawnSync(program, ['-h']).error === undefined
    ? false
    : 'mosquitto is not installed (apt-get install mosquitto)';

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server: Server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

/** Waits until `isTrue`; throws after `seconds`. */
export async function until(what: string, isTrue: () => boolean, seconds = 60): Promise<void> {
  for (const end = performance.now() + 1000 * seconds; !isTrue(); ) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  child.ref();
  return new Promise((done) => child.once('close', (code) => done(code)));
}

export class Mosquitto {
  readonly url: string;
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {
    this.url = `mqtt://127.0.0.1:${port}`;
  }

  /** Starts a broker; `lines` are more lines of its configuration, and `anonymous` lets everybody in. */
  static async start(lines: readonly string[] = [], anonymous = true): Promise<Mosquitto> {
    const port = await freePort();
    const broker = new Mosquitto(port, mkdtempSync(join(tmpdir(), 'acom-mosquitto-')));
    const text = [`listener ${port} 127.0.0.1`, `allow_anonymous ${anonymous}`, ...lines, ''].join('\n');
    writeFileSync(join(broker.folder, 'mosquitto.conf'), text);
    await broker.again();
    return broker;
  }

  get pid(): number {
    return this.child!.pid!;
  }

  /** Starts it once more, on the same port and without what it kept. */
  async again(): Promise<void> {
    const child = spawn(program, ['-c', join(this.folder, 'mosquitto.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    // A broker that runs on is no reason for a test to: tap ends a file where nothing is left to wait for.
    child.unref();
    (child.stderr as Socket).unref();
    let log = '';
    child.stderr.on('data', (part: Buffer) => {
      log += part;
    });
    await until('mosquitto runs', () => / running/.test(log) || child.exitCode !== null, 10);
    if (child.exitCode !== null) throw new Error(`mosquitto ended: ${log}`);
  }

  async stop(): Promise<void> {
    this.child!.kill('SIGTERM');
    await ended(this.child!);
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** `acom worker` in a process of its own. */
export class WorkerProcess {
  log = '';
  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (part: Buffer) => {
        this.log += part;
      });
    }
  }

  static async start(broker: string, ...args: string[]): Promise<WorkerProcess> {
    const options = { env: { ...plainEnvironment(), ACOM_BROKER: broker } };
    const worker = new WorkerProcess(spawn('node', [main, 'worker', ...args], options));
    await until('a worker is ready', () => /event=ready/.test(worker.log) || worker.child.exitCode !== null);
    if (worker.child.exitCode !== null) throw new Error(`the worker ended: ${worker.log}`);
    return worker;
  }

  /** Lines of the log about an event. */
  lines(event: string): string[] {
    return this.log.split('\n').filter((line) => line.includes(`event=${event} `));
  }

  /** Sends a signal and gives the exit code: null where the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return ended(this.child);
  }
}

/** What a third party sees of a topic filter. */
export interface Seen {
  readonly topic: string;
  readonly payload: Buffer;
  readonly correlation: string;
  readonly contentType: string | undefined;
}

/** Subscribes as a client of its own, which no code of ours has part in. */
export async function observe(
  url: string,
  filter: string,
): Promise<{ seen: Seen[]; close(): Promise<void> }> {
  const client = connect(url, { protocolVersion: 5 });
  const seen: Seen[] = [];
  client.on('message', (topic, payload, { properties }) => {
    const correlation = properties?.correlationData?.toString('hex') ?? '';
    seen.push({ topic, payload, correlation, contentType: properties?.contentType });
  });
  await client.subscribeAsync(filter, { qos: 1 });
  return { seen, close: () => client.endAsync() };
}
