/**
 * A device from nothing: run in a process of its own by `fresh.ts`. Imports stand in the body, because they are
 * part of what is timed. Prints one line of JSON.
 */
import { readFileSync } from 'node:fs';

/** Most memory that the process ever held; the rusage of a child would also count its parent's. */
function peakBytes(): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return 1024 * Number(kilobytes);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}

const bareBytes = peakBytes();
const start = performance.now();
const { loadCodecModel } = await import('../../src/codec/index.js');
const imported = performance.now();
const { modelPath, speech } = await import('../shipped.js');
const long = speech(10);
const second = long.samples.subarray(0, long.sampleRate);
const reading = performance.now();
const encoder = await (await loadCodecModel(modelPath)).deviceEncoder();
const loaded = performance.now();
// The first second compiles every kernel.
encoder.encode(second, long.sampleRate);
const ready = performance.now();
encoder.encode(long.samples, long.sampleRate);
const encoded = performance.now();

export interface StartUp {
  /** Milliseconds each: our modules, weights, the first second of speech, and then 10 s of it. */
  readonly importing: number;
  readonly loading: number;
  readonly firstSecond: number;
  readonly tenSeconds: number;
  readonly bareBytes: number;
  readonly peakBytes: number;
}

const found: StartUp = {
  importing: imported - start,
  loading: loaded - reading,
  firstSecond: ready - loaded,
  tenSeconds: encoded - ready,
  bareBytes,
  peakBytes: peakBytes(),
};
console.log(JSON.stringify(found));
