/** What both benchmarks print: times, rates, the machine. */
import { cpus, platform, release, totalmem } from 'node:os';

/** Seconds in the unit that fits. */
export function time(seconds: number): string {
  if (seconds < 1e-3) return `${(1e6 * seconds).toFixed(1)} µs`;
  if (seconds < 1) return `${(1e3 * seconds).toFixed(2)} ms`;
  return `${seconds.toFixed(2)} s`;
}

export const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

/** 10⁹ operations or bytes in a second. */
export const giga = (count: number, seconds: number): number => count / seconds / 1e9;

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
}

export function thisMachine(): Machine {
  const all = cpus();
  return {
    processor: all[0]?.model.trim() ?? 'unknown processor',
    cores: all.length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
  };
}

export const describeMachine = ({ processor, cores, node, v8 }: Machine): string =>
  `Node ${node} (V8 ${v8}), ${processor}, one of ${cores} cores`;
