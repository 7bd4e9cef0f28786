/** Checks of what a file's JSON holds, each with the path to what is wrong. */
import { ModelError } from '../tensor/index.js';

export type Check = (value: unknown, path: string) => void;

export const fail = (path: string, expected: string, value: unknown): never => {
  const shown = JSON.stringify(value) ?? 'missing';
  const short = shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
  throw new ModelError(`codec model: ${path} is ${short}, expected ${expected}`);
};

export const text: Check = (value, path) => {
  if (typeof value !== 'string') fail(path, 'text', value);
};
export const number: Check = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(path, 'a number', value);
};
export const whole =
  (least: number, most: number): Check =>
  (value, path) => {
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      fail(path, `a whole number from ${least} to ${most}`, value);
    }
  };
export const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, path) => {
    if (typeof value !== 'string' || !allowed.includes(value)) fail(path, allowed.join(' or '), value);
  };
export const nullOr =
  (check: Check): Check =>
  (value, path) => {
    if (value !== null) check(value, path);
  };
export const optional =
  (check: Check): Check =>
  (value, path) => {
    if (value !== undefined) check(value, path);
  };
export const list =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return fail(path, 'a list', value);
    value.forEach((item, i) => {
      check(item, `${path}[${i}]`);
    });
  };
export const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fail(path, 'an object', value);
    for (const [name, check] of Object.entries(fields)) {
      check((value as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`);
    }
  };
