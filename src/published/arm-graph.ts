/** Follows the graph of a keyword network from the features to the softmax, and gathers what its operations do. */
import type { Tensor } from '../tensor/index.js';
import { armFailure, type GraphOperation, numberOf, windowOf } from './arm-tensors.js';

/** Statistics and parameters of a batch norm. */
export interface GraphNorm {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** A convolution or a linear layer with what follows it: bias, batch norm, ReLU. */
export interface Product {
  readonly kind: 'convolution' | 'depthwise' | 'linear';
  /** Name of its operation. */
  readonly name: string;
  /** As TensorFlow stores it. */
  readonly weight: Tensor;
  readonly inputs: number;
  readonly outputs: number;
  /** Along time and frequency; 1 of a linear layer. */
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: 'same' | 'valid';
  bias: Tensor | null;
  norm: GraphNorm | null;
  relu: boolean;
}

export interface Pool {
  readonly kind: 'average-pool';
  readonly name: string;
  readonly window: readonly [number, number];
}

/**
 * What a name stands for: what goes through the network, a tensor that is stored, or what operations make of stored ones
 * alone (batch norm that is spelled out).
 */
type Value =
  | { readonly is: 'signal' }
  | { readonly is: 'tensor'; readonly tensor: Tensor }
  | { readonly is: 'unknown'; readonly name: string }
  | { readonly is: 'made'; readonly op: string; readonly of: readonly [Value, ...Value[]] };

/** The one epsilon of batch norm that networks here have, stored as float32. */
const EPSILON = 0.001;
const EPSILON_ERROR = 1e-6;

/** Operations before the network: the front end. */
const FRONT_END = ['Placeholder', 'DecodeWav', 'AudioSpectrogram'];
/** Operations that change no number and no order. */
const SHAPES_ONLY = ['Reshape', 'Squeeze'];
const CONVOLUTIONS = ['Conv2D', 'DepthwiseConv2dNative'];
/** Operations that spelled-out batch norm makes of its parameters. */
const ARITHMETIC = ['Add', 'Mul', 'Sub', 'Rsqrt'];
const KNOWN = [
  ...FRONT_END,
  ...SHAPES_ONLY,
  ...CONVOLUTIONS,
  ...ARITHMETIC,
  ...['Mfcc', 'MatMul', 'BiasAdd', 'FusedBatchNorm', 'Relu', 'AvgPool', 'Softmax'],
];

export class GraphReader {
  private readonly values = new Map<string, Value>();
  private readonly steps: (Product | Pool)[] = [];
  /** The operation that gave what goes through the network; empty before and after it. */
  private signal = '';
  private done = false;
  /** What the signal was multiplied with, on the way through a batch norm that is spelled out. */
  private scale: Value | null = null;

  constructor(private readonly tensors: ReadonlyMap<string, Tensor>) {}

  /** Convolutions, linear layers and pools in the order in which they follow one another. */
  read(graph: readonly GraphOperation[]): (Product | Pool)[] {
    for (const operation of graph) this.follow(operation);
    if (!this.done) throw armFailure('the graph does not end with Softmax');
    return this.steps;
  }

  private follow(operation: GraphOperation): void {
    const { op, name } = operation;
    if (!KNOWN.includes(op)) {
      throw armFailure(`operation ${op} ("${name}") is not known; known are ${KNOWN.join(', ')}`);
    }
    if (FRONT_END.includes(op)) return;
    if (this.done) throw armFailure(`${op} "${name}" comes after Softmax`);
    if (op === 'Mfcc') {
      this.signal = name;
      return;
    }
    const values = operation.inputs.map((input) => this.valueOf(operation, input));
    if (values.some(({ is }) => is === 'signal')) {
      this.apply(operation, values);
      this.signal = name;
      return;
    }
    const [first, ...rest] = values;
    if (!ARITHMETIC.includes(op) || first === undefined) {
      throw armFailure(`${op} "${name}" does not take what "${this.signal}" gives: the graph branches`);
    }
    this.values.set(name, { is: 'made', op, of: [first, ...rest] });
  }

  private valueOf({ op, name }: GraphOperation, input: string): Value {
    if (input === this.signal) return { is: 'signal' };
    const tensor = this.tensors.get(input) ?? this.tensors.get(input.replace(/\/read$/, ''));
    if (tensor !== undefined) return { is: 'tensor', tensor };
    const value = this.values.get(input);
    if (value !== undefined) return value;
    if (this.steps.some((step) => step.name === input)) {
      throw armFailure(`${op} "${name}" takes what "${input}" gives once more: the graph branches`);
    }
    return { is: 'unknown', name: input };
  }

  /** One operation on what goes through the network. */
  private apply(operation: GraphOperation, [x, second, ...more]: readonly Value[]): void {
    const { op, name } = operation;
    if (x?.is !== 'signal')
      throw armFailure(`${op} "${name}" takes the signal as another input than its first`);
    if (SHAPES_ONLY.includes(op)) return;
    if (this.scale !== null && op !== 'Add') throw armFailure(`${op} "${name}" comes within a batch norm`);
    if (CONVOLUTIONS.includes(op)) this.steps.push(this.convolution(operation, second));
    else if (op === 'MatMul') this.steps.push(this.linear(operation, second));
    else if (op === 'AvgPool') this.steps.push(poolOf(operation));
    else if (op === 'Softmax') this.done = true;
    else if (op === 'Mul' && second?.is === 'made') this.scale = second;
    else this.complete(operation, second, more);
  }

  /** What follows a product: bias, batch norm, ReLU, in this order. */
  private complete(operation: GraphOperation, value: Value | undefined, more: readonly Value[]): void {
    const { op, name } = operation;
    const product = this.steps[this.steps.length - 1];
    const wrong = () =>
      armFailure(`${op} "${name}" follows what it cannot follow, or is not bias, batch norm or ReLU`);
    if (product === undefined || product.kind === 'average-pool' || product.relu) throw wrong();
    const vector = (of: Value | undefined): Tensor => this.tensorOf(operation, of, [product.outputs]);
    if (op === 'Relu') {
      product.relu = true;
      return;
    }
    if (product.norm !== null) throw wrong();
    if (op === 'FusedBatchNorm') {
      const epsilon = numberOf(operation, 'epsilon');
      if (Math.abs(epsilon - EPSILON) > EPSILON_ERROR) {
        throw armFailure(`${op} "${name}" has an epsilon of ${epsilon}, expected ${EPSILON}`);
      }
      const [bias, mean, variance] = more;
      product.norm = {
        weight: vector(value),
        bias: vector(bias),
        mean: vector(mean),
        variance: vector(variance),
      };
    } else if (op === 'Add' && this.scale !== null) {
      const { weight, bias, mean, variance } = spelledOut(operation, this.scale, value);
      product.norm = {
        weight: vector(weight),
        bias: vector(bias),
        mean: vector(mean),
        variance: vector(variance),
      };
      this.scale = null;
    } else if ((op === 'Add' || op === 'BiasAdd') && product.bias === null) product.bias = vector(value);
    else throw wrong();
  }

  private convolution(operation: GraphOperation, value: Value | undefined): Product {
    const { op, name, attributes } = operation;
    const weight = this.tensorOf(operation, value, null);
    const { padding, data_format: format = 'NHWC', dilations = [1, 1, 1, 1] } = attributes;
    if (padding !== 'SAME' && padding !== 'VALID') {
      throw armFailure(`${op} "${name}" has padding ${JSON.stringify(padding)}, expected SAME or VALID`);
    }
    if (weight.shape.length !== 4 || format !== 'NHWC' || String(dilations) !== '1,1,1,1') {
      throw armFailure(
        `${op} "${name}" is none of images [batch, time, frequency, channel] without dilation`,
      );
    }
    const [time, frequency, inputs, outputs] = weight.shape as [number, number, number, number];
    const depthwise = op !== 'Conv2D';
    if (depthwise && outputs !== 1) {
      throw armFailure(`${op} "${name}" makes ${outputs} channels of each, expected 1`);
    }
    return {
      kind: depthwise ? 'depthwise' : 'convolution',
      name,
      weight,
      inputs,
      outputs: depthwise ? inputs : outputs,
      kernel: [time, frequency],
      stride: windowOf(operation, 'strides'),
      padding: padding === 'SAME' ? 'same' : 'valid',
      bias: null,
      norm: null,
      relu: false,
    };
  }

  private linear(operation: GraphOperation, value: Value | undefined): Product {
    const { op, name, attributes } = operation;
    const weight = this.tensorOf(operation, value, null);
    if (
      weight.shape.length !== 2 ||
      attributes['transpose_a'] === true ||
      attributes['transpose_b'] === true
    ) {
      throw armFailure(`${op} "${name}" is no product with a matrix [in, out]`);
    }
    const [inputs, outputs] = weight.shape as [number, number];
    return {
      kind: 'linear',
      name,
      weight,
      inputs,
      outputs,
      kernel: [1, 1],
      stride: [1, 1],
      padding: 'valid',
      bias: null,
      norm: null,
      relu: false,
    };
  }

  /** The stored tensor that an input is; of `shape`, where one is given. */
  private tensorOf(
    { op, name }: GraphOperation,
    value: Value | undefined,
    shape: readonly number[] | null,
  ): Tensor {
    if (value?.is !== 'tensor') throw armFailure(`${op} "${name}" takes a tensor that is not in the file`);
    const { tensor } = value;
    if (shape === null || String(tensor.shape) === String(shape)) return tensor;
    throw armFailure(
      `${op} "${name}" takes a tensor of [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`,
    );
  }
}

function poolOf(operation: GraphOperation): Pool {
  if (operation.attributes['padding'] !== 'VALID') {
    throw armFailure(`AvgPool "${operation.name}" is padded, expected the mean of the whole map`);
  }
  return { kind: 'average-pool', name: operation.name, window: windowOf(operation, 'ksize') };
}

/**
 * The parameters of x · scale + (bias - mean · scale) with scale = weight / sqrt(variance + epsilon), as TensorFlow
 * writes a batch norm of rows. The epsilon is a constant that the file does not have.
 */
function spelledOut(
  { name }: GraphOperation,
  scale: Value,
  shift: Value | undefined,
): Readonly<Record<'weight' | 'bias' | 'mean' | 'variance', Value | undefined>> {
  const operands = (value: Value | undefined, op: string): readonly Value[] => {
    if (value?.is === 'made' && value.op === op) return value.of;
    throw armFailure(`Add "${name}" ends no batch norm: expected ${op} in it`);
  };
  const [root, weight] = operands(scale, 'Mul');
  const [variance, epsilon] = operands(operands(root, 'Rsqrt')[0], 'Add');
  const [bias, shifted] = operands(shift, 'Sub');
  const [mean, same] = operands(shifted, 'Mul');
  if (epsilon?.is !== 'unknown' || same !== scale) {
    throw armFailure(`Add "${name}" ends no batch norm: its scale and its shift differ`);
  }
  return { weight, bias, mean, variance };
}
