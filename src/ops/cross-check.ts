/**
 * Runs two variants of a kernel side by side and compares everything they wrote. For finding faults: it copies
 * every array of every call.
 */
import { KernelError } from '../tensor/index.js';

type Call = (...args: unknown[]) => unknown;
type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Largest difference that is no fault, as a part of the largest number of the array. */
const TOLERANCE = 1e-4;

const isArray = (value: unknown): value is NumberArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

/** What the reference made, by what the other variant made: packed weights that go back into the kernel. */
const partners = new WeakMap<object, unknown>();

/** A kernel that gives what `kernel` gives, and throws KernelError where `reference` would have given other numbers. */
export function crossChecked<F>(operation: string, kernel: F, reference: F): F {
  if (kernel === reference) return kernel;
  return paired(operation, kernel, reference) as F;
}

function paired(operation: string, kernel: unknown, reference: unknown): unknown {
  if (typeof kernel === 'function') return checkedCall(operation, kernel as Call, reference as Call);
  if (!isObject(kernel)) return kernel;
  const methods = Object.entries(kernel).filter(([, value]) => typeof value === 'function');
  if (methods.length === 0) {
    partners.set(kernel, reference);
    return kernel;
  }
  const wrapped = { ...kernel };
  for (const [name, method] of methods) {
    const other = (reference as Record<string, Call>)[name] as Call;
    const bound = (method as Call).bind(kernel);
    wrapped[name] = checkedCall(`${operation}.${name}`, bound, other.bind(reference));
  }
  return wrapped;
}

function checkedCall(operation: string, kernel: Call, reference: Call): Call {
  return (...args) => {
    const copies = new Map<NumberArray, NumberArray>();
    const copyOf = (value: unknown): unknown => {
      if (isArray(value)) {
        const copy = copies.get(value) ?? value.slice();
        copies.set(value, copy);
        return copy;
      }
      return isObject(value) && partners.has(value) ? partners.get(value) : value;
    };
    const expected = reference(...args.map(copyOf));
    const result = kernel(...args);
    for (const [got, wanted] of copies) compare(operation, args, got, wanted);
    return paired(operation, result, expected);
  };
}

/** Throws at the first element of `got` that is not `wanted`. */
function compare(operation: string, args: readonly unknown[], got: NumberArray, wanted: NumberArray): void {
  let largest = 0;
  for (const value of wanted) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  const allowed = got instanceof Float32Array || got instanceof Float64Array ? TOLERANCE * largest : 0;
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [got[i]!, wanted[i]!];
    if (Object.is(a, b) || Math.abs(a - b) <= allowed || (Number.isNaN(a) && Number.isNaN(b))) continue;
    throw new KernelError(
      `${operation}(${args.map(describe).join(', ')}): element ${i} of argument ${args.indexOf(got)} is ${a}, ` +
        `the reference gives ${b}`,
    );
  }
}

const describe = (value: unknown): string => {
  if (isArray(value)) return `${value.constructor.name}(${value.length})`;
  if (isObject(value)) {
    const numbers = Object.entries(value).filter(([, each]) => ['number', 'string'].includes(typeof each));
    return `{ ${numbers.map(([name, each]) => `${name}: ${String(each)}`).join(', ')} }`;
  }
  return String(value);
};
