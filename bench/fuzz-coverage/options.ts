/** Options of `npm run bench:fuzz-coverage`. */
import { parseArgs } from 'node:util';

export interface FuzzOptions {
  readonly cases: number;
  /** Instead of cases: how long the guided campaign goes on. */
  readonly minutes: number | null;
  readonly seed: number;
  readonly compare: boolean;
  /** Whether branches that were never taken are listed. */
  readonly missing: boolean;
}

export function fuzzOptions(args: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: 'string', default: '200000' },
      minutes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      'no-compare': { type: 'boolean', default: false },
      missing: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'cases' | 'minutes' | 'seed', text: string): number => {
    const value = Number(text);
    if (!(value > 0)) throw new Error(`--${name} is ${text}; use a number above 0`);
    return value;
  };
  return {
    cases: number('cases', values.cases),
    minutes: values.minutes === undefined ? null : number('minutes', values.minutes),
    seed: number('seed', values.seed),
    compare: !values['no-compare'],
    missing: values.missing,
  };
}
