/**
 * Reverse-mode differentiation. A tape notes, for every operation on its variables, how the gradient of the result
 * becomes gradients of the inputs (Wengert 1964); `backward` walks the notes from the last to the first.
 *
 *   scope(() => {
 *     const tape = new Tape();
 *     const w = tape.variable(weight);
 *     const loss = ...operations of this room on w and constants...
 *     tape.backward(loss);
 *     ...copy w.gradient away: it ends with the scope...
 *   });
 *
 * Each operation with a gradient is a function in a file of its own in this room, beside its rule: it computes the value
 * with the operations of `ops`, and hands `record` what to do on the way back. Inference uses `ops` alone and never comes
 * here.
 */
import { addInto } from '../ops/elementwise.js';
import { describeShape, requireShape } from '../ops/shapes.js';
import { empty, flat, ShapeError, sizeOf, type Tensor, view } from '../tensor/index.js';

/** A tensor of a computation. Without a tape it is a constant: nothing is noted for it, and it gets no gradient. */
export class Variable {
  private sum: Tensor | null = null;
  /** Whether the memory of `sum` is this variable's own, to be added to in place. */
  private owned = false;

  constructor(
    readonly value: Tensor,
    readonly tape: Tape | null,
  ) {}

  get shape(): readonly number[] {
    return this.value.shape;
  }

  /** d loss / d value, of the shape of the value and contiguous; null where nothing has arrived. */
  get gradient(): Tensor | null {
    return this.sum;
  }

  /**
   * Adds to the gradient. `dx` is contiguous and of the shape of the value; `own` where the caller made it for this call
   * and leaves it to the variable, `shared` where somebody else goes on using it.
   */
  accumulate(dx: Tensor, memory: 'own' | 'shared' = 'own'): void {
    if (this.tape === null) return;
    requireShape('accumulate', 'dx', dx, this.value.shape);
    if (this.sum === null) {
      this.sum = dx;
      this.owned = memory === 'own';
      return;
    }
    const to = this.owned ? this.sum : memory === 'own' ? dx : empty(this.value.shape);
    addInto(this.sum, dx, to);
    this.sum = to;
    this.owned = true;
  }
}

/** A tensor that no gradient is wanted of. */
export const constant = (value: Tensor): Variable => new Variable(value, null);

interface Note {
  readonly output: Variable;
  readonly backward: (dy: Tensor) => void;
}

export class Tape {
  private readonly notes: Note[] = [];

  /** A leaf: its gradient is there after `backward`. */
  variable(value: Tensor): Variable {
    return new Variable(value, this);
  }

  /** For `record`. */
  note(output: Variable, backward: (dy: Tensor) => void): void {
    this.notes.push({ output, backward });
  }

  /**
   * Gives every variable that `output` depends on its gradient; of a scalar, or of the sum of output · seed where a seed of
   * the shape of the output is given. A tape is for one walk.
   */
  backward(output: Variable, seed?: Tensor): void {
    if (output.tape !== this) throw new ShapeError('backward: the output was not computed on this tape');
    if (seed === undefined && sizeOf(output.shape) !== 1) {
      throw new ShapeError(
        `backward: the output has shape ${describeShape(output.shape)}: expected one number, or a seed`,
      );
    }
    output.accumulate(seed ?? view(Float32Array.of(1), output.shape), 'shared');
    for (let n = this.notes.length - 1; n >= 0; n--) {
      const { output: each, backward } = this.notes[n]!;
      // What the output does not depend on gets none.
      if (each.gradient !== null) backward(each.gradient);
    }
    this.notes.length = 0;
  }
}

/**
 * The variable of a computed value. `backward` is called with its gradient, contiguous and of the shape of `value`, and
 * accumulates into the inputs; it must not change `dy`. Where no input is on a tape, the result is a constant.
 */
export function record(
  inputs: readonly (Variable | null)[],
  value: Tensor,
  backward: (dy: Tensor) => void,
): Variable {
  const tape = inputs.find((input) => input !== null && input.tape !== null)?.tape ?? null;
  const output = new Variable(value, tape);
  tape?.note(output, backward);
  return output;
}

/** The number that a scalar variable holds. */
export const scalarOf = (x: Variable): number => flat(x.value)[0]!;
