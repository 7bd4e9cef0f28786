/** Arguments and help of `acom serve`. */
import type { Command } from './commander.js';
import { InvalidArgumentError } from './commander.js';
import { MODEL, type Running, wholeNumber } from './options.js';
import { serve } from './serve.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'];

function port(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('It must be a port from 0 (any that is free) to 65535.');
  }
  return Number(text);
}

function logLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new InvalidArgumentError(`It must be one of ${LOG_LEVELS.join(', ')}.`);
}

/** `name=value`, several times. */
function limit(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [, name, value] = /^(\w+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('It must be like streamsPerClient=1000.');
  return { ...before, [name]: Number(value) };
}

export function addServe(program: Command, running: Running): void {
  program
    .command('serve')
    .description('decode what devices send, over HTTP and WebSocket: the cloud half as a server')
    .option(
      MODEL[0],
      'codec model (default: $ACOM_MODEL, or the live recogniser, and files of all models that ship)',
    )
    .option('--host <address>', 'address to listen at; any but loopback needs tokens (default: 127.0.0.1)')
    .option('-p, --port <port>', 'port to listen at, 0 for any (default: 8080)', port)
    .option('-w, --workers <n>', 'threads that decode (default: one less than cores)', wholeNumber)
    .option(
      '-t, --token-file <file>',
      'lines name:token of who may ask (default: $ACOM_TOKENS, such lines with commas between)',
    )
    .option('--limit <name=value>', 'a limit, as often as needed; --limits lists them', limit)
    .option('--limits', 'list the limits and their defaults, and end')
    .option('--log-level <level>', 'fatal, error, warn, info, debug or silent (default: info)', logLevel)
    .option('--trust-proxy', 'believe X-Forwarded-For: only behind a reverse proxy that sets it')
    .option('--public-page', 'serve the page at / without a token; everything else needs it all the same')
    .addHelpText(
      'after',
      `
Prints the address when it is ready; logs are lines of JSON on standard error. SIGTERM or Ctrl-C ends it: no new work is
taken, streams get what is final, files are decoded to their end; a second one ends it at once. Without tokens it serves this
machine alone, and refuses to start at any address that others can reach.

  POST /v1/decode   an .acom file (application/octet-stream) to JSON, as acom decode --json prints it
  GET  /v1/stream   a WebSocket: live packets in, words out
  GET  /v1/model    the model; /openapi.json describes everything, /metrics is for Prometheus
  GET  /health      whether the process lives; /ready whether it takes work (both without a token)

Examples:
  acom serve
  acom serve --host 0.0.0.0 --token-file tokens.txt     openssl rand -hex 32 makes a token
  acom serve -p 9000 -w 4 --limit streamsPerClient=1000 --limit fileSeconds=600
  curl --data-binary @out.acom -H 'Content-Type: application/octet-stream' localhost:8080/v1/decode`,
    )
    .action(running(serve));
}
