/** Where each of several tensors lies in one flat array. */
import { flat, ModelError, sizeOf, type Tensor, view } from '../../tensor/index.js';

/** Floats of a cache line: each tensor begins at one. The gaps hold zeros, which no step moves. */
const LINE = 16;

export interface Placed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

export class Layout {
  readonly placed: readonly Placed[];
  /** Floats in all. */
  readonly size: number;
  /** Floats of those that weight decay applies to; they come first. */
  readonly decayed: number;

  constructor(blocks: ReadonlyMap<string, { readonly shape: readonly number[]; readonly decay?: boolean }>) {
    const placed: Placed[] = [];
    let at = 0;
    const place = (wanted: boolean): void => {
      for (const [name, { shape, decay = false }] of blocks) {
        if (decay !== wanted) continue;
        const size = sizeOf(shape);
        placed.push({ name, shape, offset: at, size });
        at += Math.ceil(size / LINE) * LINE;
      }
    };
    place(true);
    this.decayed = at;
    place(false);
    this.size = at;
    this.placed = placed;
  }

  /** The tensors in `numbers`, by name. */
  views(numbers: Float32Array): Map<string, Tensor> {
    return new Map(
      this.placed.map(({ name, shape, offset }) => [name, view(numbers, shape, undefined, offset)]),
    );
  }

  /** Copies tensors to where they belong; throws ModelError where one is missing or of another shape. */
  fill(numbers: Float32Array, tensors: ReadonlyMap<string, Tensor>, of: string): void {
    for (const { name } of this.placed) {
      if (!tensors.has(name)) throw new ModelError(`${of}: there is no tensor ${name}`);
    }
    this.fillKnown(numbers, tensors, of);
  }

  /** The same of those that are there. */
  fillKnown(numbers: Float32Array, tensors: ReadonlyMap<string, Tensor>, of: string): void {
    for (const { name, shape, offset } of this.placed) {
      const tensor = tensors.get(name);
      if (tensor === undefined) continue;
      if (tensor.shape.join() !== shape.join()) {
        throw new ModelError(
          `${of}: tensor ${name} has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`,
        );
      }
      numbers.set(flat(tensor), offset);
    }
  }
}
