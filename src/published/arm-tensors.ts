/**
 * The file format of ARM's keyword networks as they were taken out of a frozen TensorFlow graph: a JSON text with the
 * list of tensors and the list of operations, and a file of little-endian float32. Nothing in either is trusted.
 */
import { FormatError, type Tensor, view } from '../tensor/index.js';

export const armFailure = (message: string): FormatError => new FormatError('ARM keyword network', message);

type Fields = Readonly<Record<string, unknown>>;

/** An operation of the graph; a later one names its result by its name. */
export interface GraphOperation {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  /** What else stands there: strides, padding, ... */
  readonly attributes: Fields;
}

export interface ArmFile {
  readonly source: string;
  readonly licence: string;
  readonly labels: readonly string[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly graph: readonly GraphOperation[];
}

const MOST_AXES = 4;
const MOST_OPERATIONS = 4096;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Attribute `name` of an operation as a positive whole number. */
export function countOf({ op, name, attributes }: GraphOperation, attribute: string): number {
  const value = attributes[attribute];
  if (isCount(value) && value > 0) return value;
  throw armFailure(
    `${op} "${name}": ${attribute} is ${JSON.stringify(value)}, expected a positive whole number`,
  );
}

/** The same as a number that is not negative. */
export function numberOf({ op, name, attributes }: GraphOperation, attribute: string): number {
  const value = attributes[attribute];
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw armFailure(`${op} "${name}": ${attribute} is ${JSON.stringify(value)}, expected a number`);
}

/** The same as [1, time, frequency, 1]: the two in the middle. */
export function windowOf(operation: GraphOperation, attribute: string): readonly [number, number] {
  const value = operation.attributes[attribute];
  if (Array.isArray(value) && value.length === 4 && value.every((n) => isCount(n) && n > 0)) {
    const [batch, time, frequency, channel] = value as [number, number, number, number];
    if (batch === 1 && channel === 1) return [time, frequency];
  }
  throw armFailure(
    `${operation.op} "${operation.name}": ${attribute} is ${JSON.stringify(value)}, expected [1, time, frequency, 1]`,
  );
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (isText(value)) return value;
  throw armFailure(`"${name}" is no text`);
}

function listOf(fields: Fields, name: string, most: number): readonly unknown[] {
  const value = fields[name];
  if (Array.isArray(value) && value.length > 0 && value.length <= most) return value;
  throw armFailure(`"${name}" is no list of 1 to ${most} entries`);
}

function readTensor(entry: unknown, floats: Float32Array): [string, Tensor] {
  if (!isFields(entry) || !isText(entry['name'])) throw armFailure('a tensor has no name');
  const { name, shape, offset, length } = entry as Fields & { name: string };
  const what = `tensor "${name}"`;
  if (!Array.isArray(shape) || shape.length < 1 || shape.length > MOST_AXES || !shape.every(isCount)) {
    throw armFailure(`${what}: its shape is no list of 1 to ${MOST_AXES} whole numbers`);
  }
  if (!isCount(offset) || !isCount(length))
    throw armFailure(`${what}: offset and length are no whole numbers`);
  const size = shape.reduce((product: number, n: number) => product * n, 1);
  if (size !== length || size === 0) {
    throw armFailure(`${what} of shape [${shape.join(', ')}] has ${length} elements`);
  }
  if (offset + length > floats.length) {
    throw armFailure(
      `${what} ends at float ${offset + length} of a file of ${floats.length}: the file is cut short`,
    );
  }
  return [name, view(floats.subarray(offset, offset + length), shape as number[])];
}

function readOperation(entry: unknown): GraphOperation {
  if (!isFields(entry)) throw armFailure('an operation of the graph is no object');
  const { op, name, input, ...attributes } = entry;
  if (!isText(op) || !isText(name) || !Array.isArray(input) || !input.every(isText)) {
    throw armFailure(
      `an operation of the graph has no op, name and input: ${JSON.stringify(entry).slice(0, 80)}`,
    );
  }
  return { op, name, inputs: input, attributes };
}

export function parseArmFile(json: string, bin: Uint8Array): ArmFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw armFailure(`the description is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!isFields(parsed)) throw armFailure('the description is no JSON object');
  if (bin.length % 4 !== 0) throw armFailure(`${bin.length} bytes of tensors are no whole number of floats`);
  // A Buffer's slice() would be no copy.
  const aligned = bin.byteOffset % 4 === 0 ? bin : new Uint8Array(bin);
  const floats = new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
  const tensors = new Map<string, Tensor>();
  for (const entry of listOf(parsed, 'tensors', MOST_OPERATIONS)) {
    const [name, tensor] = readTensor(entry, floats);
    if (tensors.has(name)) throw armFailure(`there are two tensors "${name}"`);
    tensors.set(name, tensor);
  }
  const labels = listOf(parsed, 'labels', MOST_OPERATIONS);
  if (!labels.every(isText)) throw armFailure('a label is no text');
  return {
    source: textOf(parsed, 'source'),
    licence: textOf(parsed, 'licence'),
    labels,
    tensors,
    graph: listOf(parsed, 'graph', MOST_OPERATIONS).map(readOperation),
  };
}
