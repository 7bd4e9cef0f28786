/** This project's side of a case. */

import { fillOperands } from '../../kernels/check/operands.js';
import { matmulVariants } from '../../kernels/matmul/variants.js';
import type { KernelSpec, Operand, OperandSpecs } from '../../kernels/spec.js';
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import { flat, scope, type Tensor, view } from '../../src/tensor/index.js';
import { observe } from '../sink.js';
import type { Entry } from './candidates.js';

const SEED = 7;
const dense = { offset: 0, gap: 0 };

export interface KernelEntries {
  readonly entries: Entry[];
  /** An input, for the peers. */
  input(name: string): Float32Array;
  readonly operations: number;
}

/** A kernel by its SIMD variants, or by its reference where it has none here; operands in their memory. */
export function kernelEntries<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
  output: keyof O & string,
): KernelEntries {
  const here = spec.variants.filter(({ name, available }) => name !== 'gpu' && available() === true);
  const simd = here.filter(({ name }) => name !== 'reference');
  const specs = spec.operands(sizes);
  /** An operand's elements without gaps. */
  const read = (name: string, { data, offset }: Operand) => {
    const { rows, columns } = specs[name]!;
    return data.subarray(offset, offset + rows * columns);
  };
  const inputs = fillOperands(spec, sizes, { seed: SEED, placement: dense });
  return {
    operations: spec.cost(sizes).operations,
    input: (name) => read(name, inputs[name as keyof O]) as Float32Array,
    entries: (simd.length > 0 ? simd : here).map((variant) => ({
      name: `acom ${variant.name}`,
      build() {
        const placement = { ...dense, inKernelMemory: variant.name !== 'reference' };
        const operands = fillOperands(spec, sizes, { seed: SEED, placement });
        const run = spec.bind(variant.load(), sizes, operands);
        const result = () => read(output, operands[output]).slice();
        return {
          run,
          result: async () => {
            await run();
            return result();
          },
          close: () => observe(result()),
        };
      },
    })),
  };
}

/** A copy of `data` in the kernels' memory, where a network finds what the layer before it made. */
export function resident(data: Float32Array, shape: readonly number[]): Tensor {
  const place = kernelMemory()?.pushFloats(data.length) ?? new Float32Array(data.length);
  place.set(data);
  return view(place, shape);
}

/** What networks are named by: operations choose for themselves, and all of them alike. */
export function chosenName(): string {
  const forced = process.env['ACOM_KERNELS'];
  const fastest = ['relaxed', 'simd'].find((wanted) =>
    matmulVariants.some(({ name, available }) => name === wanted && available() === true),
  );
  return `acom ${forced ?? fastest ?? 'reference'}`;
}

/** `forward` in a scope, as networks run; `checked` gives the result that is compared. */
export function networkEntry(forward: () => Tensor, checked = forward): Entry {
  return {
    name: chosenName(),
    build: () => ({
      run: () => void scope(forward),
      result: () => flat(scope(checked)).slice(),
      close: () => observe(flat(scope(forward))),
    }),
  };
}
