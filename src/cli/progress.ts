/** Progress of long work: a bar on a terminal, a line now and then in a log. Always on standard error. */
import { Presets, SingleBar } from 'cli-progress';
import type { Watch } from './file-result.js';

export interface Progress {
  update(done: number): void;
  /** Writes what stays: a bar makes room for it first, and is drawn again below. */
  aside(write: () => void): void;
  stop(): void;
}

/** Work shorter than this shows nothing in a log. */
const QUIET_MILLISECONDS = 2000;
const LOG_STEP = 0.1;

const CLEAR_LINE = '\r\u001b[2K';
const SAVE_CURSOR = '\u001b7';

/** Writes lines where a bar stands. The bar is drawn again on the next line, and goes back there when it stops. */
function aboveBar(write: () => void): void {
  process.stderr.write(CLEAR_LINE);
  write();
  process.stderr.write(SAVE_CURSOR);
}

/** `unit` names what is counted, for example "utterances". */
export function startProgress(label: string, total: number, unit: string): Progress {
  if (process.stderr.isTTY) {
    const format = `${label} {bar} {value} of {total} ${unit}, {eta_formatted} left`;
    const bar = new SingleBar(
      { format, clearOnComplete: true, stream: process.stderr },
      Presets.shades_classic,
    );
    bar.start(Math.round(total), 0);
    return {
      update: (done) => bar.update(Math.round(done)),
      aside: aboveBar,
      stop: () => bar.stop(),
    };
  }
  const start = performance.now();
  let said = 0;
  return {
    update(done) {
      const part = total === 0 ? 1 : done / total;
      if (performance.now() - start < QUIET_MILLISECONDS || part < said + LOG_STEP) return;
      said = part;
      process.stderr.write(`${label}: ${Math.round(done)} of ${Math.round(total)} ${unit}\n`);
    },
    aside: (write) => write(),
    stop() {},
  };
}

/** Shows how far work on one file is, from the first that it says of it. */
export async function showing<T>(
  label: string,
  unit: string,
  work: (watch: Watch) => Promise<T>,
): Promise<T> {
  let progress: Progress | undefined;
  try {
    return await work((done, total) => {
      progress ??= startProgress(label, total, unit);
      progress.update(done);
    });
  } finally {
    progress?.stop();
  }
}

/** A bar with text beside it; null where standard error is no terminal. */
export interface NotedBar {
  update(done: number, note: string): void;
  /** Writes a line that stays, above the bar. */
  print(line: string): void;
  stop(): void;
}

export function startNotedBar(total: number): NotedBar | null {
  if (!process.stderr.isTTY) return null;
  const bar = new SingleBar(
    {
      format: '{bar} {value} of {total}, {note}',
      barsize: 20,
      clearOnComplete: true,
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { note: '' });
  return {
    update: (done, note) => bar.update(done, { note }),
    print: (line) => aboveBar(() => process.stderr.write(`${line}\n`)),
    stop: () => bar.stop(),
  };
}
