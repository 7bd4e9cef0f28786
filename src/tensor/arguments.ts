/** Checks of what callers hand in: JavaScript calls with anything, and a TypeError deep inside helps nobody. */
import { UsageError } from './errors.js';

/** A file's bytes as programs have them: what fetch gives, and what Node reads. */
export type Bytes = Uint8Array | ArrayBuffer;

/** Not `instanceof`: arrays from another window or a test runner's sandbox are as good. */
const typeOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

const article = (type: string): string => `${/^[AEIO]/.test(type) ? 'an' : 'a'} ${type}`;
const described = (value: unknown): string =>
  value === undefined || value === null ? String(value) : article(typeOf(value));

/** Bytes as Uint8Array, without a copy; `what` names them in the message. */
export function asBytes(value: Bytes, what: string): Uint8Array {
  if (typeOf(value) === 'Uint8Array') return value as Uint8Array;
  if (typeOf(value) === 'ArrayBuffer') return new Uint8Array(value as ArrayBuffer);
  throw new UsageError(`${what}: the bytes must be a Uint8Array or an ArrayBuffer, not ${described(value)}`);
}

/** Throws where samples are no Float32Array, and says how to make one. */
export function requireSamples(value: Float32Array): void {
  const type = typeOf(value);
  if (type === 'Float32Array') return;
  const advice = /^(Uint8Array|ArrayBuffer|DataView)$/.test(type)
    ? "for a recording's file use readWav or readRecording first"
    : /^(Array|Float64Array)$/.test(type)
      ? 'use Float32Array.from(samples)'
      : /^U?[Ii]nt(8|16|32)/.test(type)
        ? 'divide whole numbers by their full scale, for 16 bits Float32Array.from(samples, (x) => x / 32768)'
        : 'mono, nominally from -1 to 1';
  throw new UsageError(`samples must be a Float32Array, not ${described(value)}; ${advice}`);
}

/** Throws where options are no object; leaving them out is for the caller's default. */
export function requireOptions(value: object, what: string): void {
  if (typeof value === 'object' && value !== null) return;
  throw new UsageError(`${what}: the options must be an object, not ${described(value)}`);
}
