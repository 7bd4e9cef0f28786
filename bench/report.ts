/** What both benchmarks print: times, rates, the machine. */
import type { Machine } from '../src/cli/machine.js';

export { type Machine, thisMachine } from '../src/cli/machine.js';

/** Seconds in the unit that fits. */
export function time(seconds: number): string {
  if (seconds < 1e-3) return `${(1e6 * seconds).toFixed(1)} µs`;
  if (seconds < 1) return `${(1e3 * seconds).toFixed(2)} ms`;
  return `${seconds.toFixed(2)} s`;
}

export const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

/** 10⁹ operations or bytes in a second. */
export const giga = (count: number, seconds: number): number => count / seconds / 1e9;

export const describeMachine = ({ processor, cores, node, v8 }: Machine): string =>
  `Node ${node} (V8 ${v8}), ${processor}, one of ${cores} cores`;
