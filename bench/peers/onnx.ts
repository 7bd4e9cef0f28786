/**
 * Writes ONNX models: the protocol buffers of onnx.proto, of which a model of float32 tensors needs six messages.
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const INT64 = 7;

/** Base-128 varint; a negative number as 64 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

type Bytes = Uint8Array;

function joined(parts: readonly (Bytes | readonly number[])[]): Bytes {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const VARINT = 0;
const LENGTH = 2;
const FIXED_32 = 5;

const integer = (field: number, value: number): Bytes => joined([varint(field * 8 + VARINT), varint(value)]);
const message = (field: number, ...parts: readonly Bytes[]): Bytes => {
  const body = joined(parts);
  return joined([varint(field * 8 + LENGTH), varint(body.length), body]);
};
const text = (field: number, value: string): Bytes => message(field, new TextEncoder().encode(value));
const float = (field: number, value: number): Bytes =>
  joined([varint(field * 8 + FIXED_32), new Uint8Array(Float32Array.of(value).buffer)]);

/** A value of a graph, by name. */
export interface Value {
  readonly name: string;
}

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

/** Number of the kind of an attribute, and its content. */
function contentOf(value: Attribute): readonly [number, Bytes] {
  if ('float' in value) return [1, float(2, value.float)];
  if ('int' in value) return [2, integer(3, value.int)];
  if ('text' in value) return [3, text(4, value.text)];
  return [7, joined(value.ints.map((each) => integer(8, each)))];
}

function attribute(name: string, value: Attribute): Bytes {
  const [kind, content] = contentOf(value);
  return message(5, text(1, name), content, integer(20, kind));
}

/** A tensor's name, element type and shape. */
function valueInfo(field: number, name: string, type: number, shape: readonly number[]): Bytes {
  const dimensions = shape.map((length) => message(1, integer(1, length)));
  return message(field, text(1, name), message(2, message(1, integer(1, type), message(2, ...dimensions))));
}

/** A graph that grows node by node. */
export class OnnxGraph {
  private readonly nodes: Bytes[] = [];
  private readonly constants: Bytes[] = [];
  private readonly inputs: Bytes[] = [];
  private readonly outputs: Bytes[] = [];
  private names = 0;

  input(name: string, shape: readonly number[]): Value {
    this.inputs.push(valueInfo(11, name, FLOAT, shape));
    return { name };
  }

  /** Weights [shape]. */
  constant(data: Float32Array, shape: readonly number[]): Value {
    return this.tensor(FLOAT, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  number(value: number): Value {
    return this.constant(Float32Array.of(value), []);
  }

  /** A vector of whole numbers: axes, shapes. */
  integers(...values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.tensor(INT64, [values.length], new Uint8Array(data.buffer));
  }

  private tensor(type: number, shape: readonly number[], bytes: Bytes): Value {
    const name = this.name();
    const dimensions = shape.map((length) => integer(1, length));
    this.constants.push(message(5, ...dimensions, integer(2, type), text(8, name), message(9, bytes)));
    return { name };
  }

  /** A node with one output. */
  node(
    operation: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.nodeOf(1, operation, inputs, attributes)[0]!;
  }

  nodeOf(
    count: number,
    operation: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    const outputs = Array.from({ length: count }, () => ({ name: this.name() }));
    this.nodes.push(
      message(
        1,
        ...inputs.map(({ name }) => text(1, name)),
        ...outputs.map(({ name }) => text(2, name)),
        text(4, operation),
        ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ),
    );
    return outputs;
  }

  /** Makes `value` an output under `name`. */
  output(name: string, value: Value, shape: readonly number[], type: 'float' | 'int64' = 'float'): void {
    this.nodes.push(message(1, text(1, value.name), text(2, name), text(4, 'Identity')));
    this.outputs.push(valueInfo(12, name, type === 'float' ? FLOAT : INT64, shape));
  }

  private name(): string {
    return `v${this.names++}`;
  }

  /** The model file. */
  bytes(): Bytes {
    const graph = message(
      7,
      ...this.nodes,
      text(2, 'graph'),
      ...this.constants,
      ...this.inputs,
      ...this.outputs,
    );
    return joined([integer(1, IR_VERSION), text(2, 'acom'), graph, message(8, integer(2, OPSET))]);
  }
}
