/** Everything about a server that can be set, with defaults and checks. */
import { UsageError } from '../../tensor/index.js';
import type { TokenList } from './tokens.js';

/** Every limit: default, least, most, and what it bounds. Those marked (s) are seconds. */
const LIMITS = {
  requestsPerSecond: [20, 0.1, 1e6, 'requests a second of a client'],
  requestBurst: [100, 1, 1e6, 'requests that a client may send at once'],
  bodyBytes: [1 << 20, 16, 1 << 28, 'bytes of a file that is posted'],
  fileSeconds: [3600, 1, 86_400, 'audio of a file that is posted (s)'],
  decodesPerClient: [8, 1, 1e6, 'files of a client that are decoded or wait at once'],
  queuedFiles: [64, 0, 1e6, 'files that wait for a worker'],
  jobSeconds: [30, 0.05, 3600, 'decoding of a file (s)'],
  streams: [2000, 1, 1e6, 'live streams at once'],
  streamsPerClient: [100, 1, 1e6, 'live streams of a client at once'],
  messageBytes: [4096, 16, 1 << 20, 'bytes of a message of a stream'],
  messagesPerSecond: [25, 0.1, 1e6, 'messages a second of a stream'],
  messageBurst: [250, 1, 1e6, 'messages that a stream may send at once'],
  bytesPerSecond: [2048, 16, 1e9, 'bytes a second of a stream'],
  byteBurst: [65_536, 16, 1e9, 'bytes that a stream may send at once'],
  audioPerSecond: [4, 0.1, 1e6, 'seconds of audio that a stream may bring a second'],
  audioBurst: [120, 1, 1e6, 'seconds of audio that a stream may bring at once, besides its last packet'],
  waitingPackets: [16, 1, 1e4, 'packets of a stream that wait before its socket is read no further'],
  queuedPackets: [8000, 1, 1e7, 'packets of all streams that wait before no more streams are opened'],
  batchStreams: [64, 1, 1e4, 'streams in one batch'],
  batchSeconds: [10, 0.05, 600, 'decoding of a batch (s)'],
  openingSeconds: [10, 0.05, 3600, 'time to the first message of a stream (s)'],
  idleSeconds: [60, 0.05, 86_400, 'time between messages of a stream (s)'],
  streamSeconds: [14_400, 0.05, 864_000, 'time of a stream (s)'],
  bufferedBytes: [262_144, 1024, 1 << 28, 'bytes that a client has not read'],
  connections: [10_000, 1, 1e6, 'connections at once'],
  headersSeconds: [10, 1, 600, 'time in which the head of a request must come (s)'],
  requestSeconds: [30, 1, 3600, 'time in which a whole request must come (s)'],
  shutdownSeconds: [10, 0.05, 3600, 'time for what is in flight when the server ends (s)'],
  workerMegabytes: [1024, 64, 1 << 16, 'heap of a worker (MB)'],
} as const;

export type LimitName = keyof typeof LIMITS;
export type Limits = Readonly<Record<LimitName, number>>;

/** Those of which there is a whole number. */
const WHOLE = /^(?!requestsPerSecond|messagesPerSecond|audioPerSecond|audioBurst|.*Seconds$)/;

export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

/** One line about each limit: its name, its default, what it bounds. */
export const describeLimits = (): (readonly [name: LimitName, standard: number, what: string])[] =>
  LIMIT_NAMES.map((name) => [name, LIMITS[name][0], LIMITS[name][3]]);

/** Checked limits; those that are left out have their defaults. Throws UsageError. */
export function checkLimits(given: Readonly<Partial<Record<string, number>>> = {}): Limits {
  for (const [name, value] of Object.entries(given)) {
    const known = LIMITS[name as LimitName];
    if (known === undefined) {
      throw new UsageError(`there is no limit ${name}; there are ${LIMIT_NAMES.join(', ')}`);
    }
    const [, least, most] = known;
    const isRight = typeof value === 'number' && value >= least && value <= most;
    if (!isRight || (WHOLE.test(name) && !Number.isInteger(value))) {
      const kind = WHOLE.test(name) ? 'a whole number' : 'a number';
      throw new UsageError(`limit ${name} is ${value}: use ${kind} from ${least} to ${most}`);
    }
  }
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, given[name] ?? LIMITS[name][0]])) as Limits;
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How a server is to be; all but where its engine comes from may be left out. */
export interface ServerOptions {
  /** Where decoders come from: a module that exports `createEngine`, and what that function gets. */
  readonly engine: EngineSource;
  readonly host?: string;
  /** 0 for any that is free. */
  readonly port?: number;
  readonly workers?: number;
  /** Null, or left out: no tokens are asked for, which is allowed on loopback only. */
  readonly tokens?: TokenList | null;
  readonly logLevel?: LogLevel;
  /** Where log lines go; standard error where this is left out. */
  readonly logTo?: { write(line: string): void };
  /** Whether a reverse proxy stands in front whose X-Forwarded-For is to be believed. */
  readonly trustProxy?: boolean;
  /** Folder of a page to serve at /; none where it is not there. */
  readonly pageFolder?: string;
  /** Whether the page needs no token. */
  readonly publicPage?: boolean;
  /** The device's half of the model, for pages; null where the server has it not. Asked once, when it is first wanted. */
  readonly deviceHalf?: () => Promise<Uint8Array | null>;
  readonly limits?: Readonly<Partial<Record<LimitName, number>>>;
}

export interface EngineSource {
  readonly module: URL;
  /** Goes to worker threads as a structured clone. */
  readonly options: unknown;
}

export interface ServerSettings {
  readonly engine: EngineSource;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly tokens: TokenList | null;
  readonly logLevel: LogLevel;
  readonly logTo: { write(line: string): void };
  readonly trustProxy: boolean;
  readonly pageFolder: string | null;
  readonly publicPage: boolean;
  readonly deviceHalf: () => Promise<Uint8Array | null>;
  readonly limits: Limits;
}

const LOOPBACK = new Set(['127.0.0.1', '::1', '[::1]', 'localhost']);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host.toLowerCase());

const requireWhole = (name: string, value: number, least: number, most: number): void => {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new UsageError(`${name} is ${value}: use a whole number from ${least} to ${most}`);
};

/** Checked settings. Throws UsageError; above all where the server would be open to other machines. */
export function checkSettings(options: ServerOptions, defaultWorkers: number): ServerSettings {
  const { host = '127.0.0.1', port = 8080, workers = defaultWorkers, tokens = null } = options;
  requireWhole('port', port, 0, 65_535);
  requireWhole('workers', workers, 1, 256);
  if (tokens === null && !isLoopback(host)) {
    throw new UsageError(
      `serve: ${host} can be reached from other machines, and there are no tokens, so anybody could use this server; ` +
        'give tokens with --token-file FILE (or in ACOM_TOKENS), or serve this machine alone with --host 127.0.0.1',
    );
  }
  return {
    engine: options.engine,
    host: host === '[::1]' ? '::1' : host,
    port,
    workers,
    tokens,
    logLevel: options.logLevel ?? 'info',
    logTo: options.logTo ?? process.stderr,
    trustProxy: options.trustProxy ?? false,
    pageFolder: options.pageFolder ?? null,
    publicPage: options.publicPage ?? false,
    deviceHalf: options.deviceHalf ?? (async () => null),
    limits: checkLimits(options.limits),
  };
}
