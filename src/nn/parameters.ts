/** Named weights of a network: looked up by full name, checked for shape, reported missing all at once. */
import { keep, ModelError, type NdArray, type Tensor, type TypedArray, zeros } from '../tensor/index.js';

export type StateDict = ReadonlyMap<string, NdArray<TypedArray>>;

/** Problems shown in full before the rest are only counted. */
const MOST_SHOWN = 8;

/** Hands modules their parameters by the names that PyTorch's state dicts give them. */
export class Parameters {
  constructor(
    private readonly tensors: StateDict,
    private readonly prefix = '',
    private readonly problems: string[] = [],
    /** Shapes of all parameters that were asked for, by their full names. */
    private readonly asked?: Map<string, readonly number[]>,
  ) {}

  /** The same parameters seen from inside module `name`. */
  scope(name: string): Parameters {
    return new Parameters(this.tensors, `${this.prefix}${name}.`, this.problems, this.asked);
  }

  /**
   * The float32 tensor `name` of `shape`, after `prepare` where it is stored otherwise than it is used. One
   * that is missing or misshapen is noted for `requireComplete`, and an empty tensor comes in its place, so
   * that building goes on and every problem is found at once.
   */
  get(name: string, shape: readonly number[], prepare?: (stored: Tensor) => Tensor): Tensor {
    const full = this.prefix + name;
    this.asked?.set(full, shape);
    const found = this.tensors.get(full);
    if (found === undefined) {
      this.problems.push(`${full} is missing`);
    } else if (!(found.data instanceof Float32Array)) {
      this.problems.push(`${full} holds ${found.dtype}, expected float32`);
    } else if (found.shape.length !== shape.length || found.shape.some((n, axis) => n !== shape[axis])) {
      this.problems.push(`${full} has shape [${found.shape.join(', ')}], expected [${shape.join(', ')}]`);
    } else {
      const tensor = prepare ? prepare(found as Tensor) : (found as Tensor);
      // Vectors (biases, norms) are read as they are by every call; matrices are packed by who uses them.
      return shape.length === 1 ? keep(tensor) : tensor;
    }
    return zeros([0]);
  }

  /** Whether `get` could give everything so far. */
  get isComplete(): boolean {
    return this.problems.length === 0;
  }

  /** Throws ModelError that lists what `get` could not give. */
  requireComplete(model: string): void {
    if (this.problems.length === 0) return;
    const shown = this.problems.slice(0, MOST_SHOWN).join('; ');
    const more = this.problems.length > MOST_SHOWN ? `; and ${this.problems.length - MOST_SHOWN} more` : '';
    throw new ModelError(`${model}: the weights do not fit the configuration: ${shown}${more}`);
  }
}
